import { outcome, pending, tell, until } from '../tell.ts'
import { bodies } from './http-bodies.ts'
import { sockets } from './http-sockets.ts'
import type { Sentences } from './index.ts'

interface Echo {
  method: string
  url: string
  rawHeaders: string[]
  body: string
}

/** Raw headers as `name: value` lines, names in lower case, sorted. */
function lines(rawHeaders: string[]): string[] {
  const found: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) found.push(`${rawHeaders[i]?.toLowerCase()}: ${rawHeaders[i + 1]}`)
  return found.sort()
}

export const http: Sentences = {
  ...bodies,
  ...sockets,

  async hostHeader(o, { url, host }) {
    await o.boot()
    const init = host === undefined ? {} : { headers: { host } }
    const echo = (await (await o.container.getTcpPort(8080).fetch(url ?? '', init)).json()) as Echo
    return lines(echo.rawHeaders).filter((line) => line.startsWith('host:'))
  },

  async noOthers(o) {
    await o.boot()
    const echo = (await (await o.get('echo')).json()) as Echo
    return lines(echo.rawHeaders)
  },

  async noneLost(o) {
    await o.boot()
    const headers = {
      accept: 'text/x-mine',
      'accept-encoding': 'identity',
      authorization: 'Bearer mine',
      cookie: 'a=1; b=2',
      'cf-connecting-ip': '192.0.2.7',
      forwarded: 'for=192.0.2.7',
      'user-agent': 'contract',
      'x-empty': '',
    }
    const answer = await o.container.getTcpPort(8080).fetch('http://container/echo', { headers })
    return lines(((await answer.json()) as Echo).rawHeaders)
  },

  async methods(o) {
    await o.boot()
    const told = []
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await o.container.getTcpPort(8080).fetch('http://container/echo', { method })
      told.push(((await answer.json()) as Echo).method)
    }
    return told
  },

  async path(o) {
    await o.boot()
    const url = 'http://container/echo/a%2Fb/%C3%A9?q=1&q=2&empty=&space=a%20b#fragment'
    const answer = await o.container.getTcpPort(8080).fetch(url)
    return ((await answer.json()) as Echo).url
  },

  async requestObject(o) {
    await o.boot()
    const request = new Request('http://container/echo', { method: 'POST', body: 'text', headers: { 'x-a': 'b' } })
    const echo = (await (await o.container.getTcpPort(8080).fetch(request)).json()) as Echo
    return { method: echo.method, body: echo.body, header: lines(echo.rawHeaders).includes('x-a: b') }
  },

  async status(o, { code }) {
    await o.boot()
    const answer = await o.get(`status?code=${code}`)
    return { status: answer.status, body: await answer.text(), header: answer.headers.get('x-status') }
  },

  async head(o) {
    await o.boot()
    const answer = await o.container.getTcpPort(8080).fetch('http://container/head', { method: 'HEAD' })
    const { status, headers } = answer
    return { status, length: headers.get('content-length'), mine: headers.get('x-head'), body: await answer.text() }
  },

  async responseHeaders(o) {
    await o.boot()
    const { headers } = await o.get('cookies')
    return { cookies: headers.getSetCookie(), case: headers.get('x-case') }
  },

  async redirectManual(o) {
    await o.boot()
    const url = 'http://container/redirect?to=http://elsewhere.example/there'
    const answer = await o.container.getTcpPort(8080).fetch(url, { redirect: 'manual' })
    return { status: answer.status, location: answer.headers.get('location'), body: await answer.text() }
  },

  async redirectFollow(o) {
    await o.boot()
    const url = 'http://container/redirect?to=/health'
    const answer = await o.container.getTcpPort(8080).fetch(url, { redirect: 'follow' })
    return { status: answer.status, body: await answer.text() }
  },

  async abortedBefore(o) {
    await o.boot()
    const signal = AbortSignal.abort(new Error('not now'))
    return outcome(() => o.container.getTcpPort(8080).fetch('http://container/health', { signal }))
  },

  /** Aborted while the server thinks: the promise rejects, and the server sees the connection go. */
  async abortedMeanwhile(o) {
    await o.boot()
    const controller = new AbortController()
    const answer = outcome(() =>
      o.container.getTcpPort(8080).fetch('http://container/hang?name=a', { signal: controller.signal }),
    )
    const progress = async (): Promise<{ bytes: number; state: string }> =>
      (await o.get('progress?name=a')).json() as Promise<{ bytes: number; state: string }>
    await until('the server has the request', async () => (await progress()).bytes === 1)
    controller.abort()
    const ended = await answer
    await until('the server sees it go', async () => (await progress()).state === 'gone')
    return { rejected: 'rejected' in ended }
  },

  /** The container ends while it thinks. */
  async lostMeanwhile(o) {
    await o.boot()
    const answer = outcome(() => o.get('hang?name=b'))
    await until('the server has the request', async () => {
      const progress = (await (await o.get('progress?name=b')).json()) as { bytes: number }
      return progress.bytes === 1
    })
    o.container.signal(9)
    return answer
  },

  /** The container ends in the middle of its answer: the reader must not take it for whole. */
  async lostInTheBody(o) {
    await o.boot()
    const answer = await o.get('crash')
    try {
      return { text: await answer.text() }
    } catch (error) {
      return { rejected: tell(error).name !== undefined }
    }
  },

  async manyAtOnce(o) {
    await o.boot()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => o.get(`echo/${i}`)))
    const urls = await Promise.all(answers.map(async (answer) => ((await answer.json()) as Echo).url))
    return urls.every((url, i) => url === `/echo/${i}`)
  },

  /** A body that nobody reads holds up nobody else. */
  async unreadBody(o) {
    await o.boot()
    const unread = await o.get('bytes?n=5000000')
    const health = await (await o.get('health')).text()
    await unread.body?.cancel()
    return health
  },

  async slowAnswer(o) {
    await o.boot()
    const answer = o.get('hang?name=slow')
    const waits = await pending(answer)
    await o.get('release?name=slow')
    return { waits, text: await (await answer).text() }
  },
}
