import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { networkInterfaces } from 'node:os'
import { gzipSync } from 'node:zlib'

const boot = randomUUID()
/** Every request that came, oldest first: `METHOD host path`. */
const seen = []
/** What waits to be let go, by the name it was given; `state` is open, done or gone. */
const waiting = new Map()

function waiter(name) {
  const known = waiting.get(name)
  if (known) return known
  let release
  const released = new Promise((resolve) => (release = resolve))
  const made = { released, release, state: 'open', bytes: 0 }
  waiting.set(name, made)
  return made
}

async function body(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** How a connection to somewhere ends: `connected`, or the errno, and after how long. */
async function dial(host, port) {
  const started = performance.now()
  const socket = net.connect({ host, port })
  socket.setTimeout(3000, () => socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })))
  const how = await once(socket, 'connect').then(
    () => 'connected',
    (error) => error.code,
  )
  socket.destroy()
  return { how, tookMs: performance.now() - started }
}

const handlers = {
  health: async () => 'ok',
  boot: async () => ({
    boot,
    pid: process.pid,
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    uid: process.getuid(),
    env: process.env,
    addresses: Object.values(networkInterfaces())
      .flat()
      .filter((a) => !a.internal)
      .map((a) => a.address),
  }),
  seen: async () => seen,
  echo: async (request) => {
    const text = (await body(request)).toString()
    return { method: request.method, url: request.url, rawHeaders: request.rawHeaders, body: text }
  },
  digest: async (request) => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of request) {
      hash.update(chunk)
      bytes += chunk.length
    }
    return { bytes, sha256: hash.digest('hex') }
  },
  /** Counts the body as it comes; /progress tells how far it is. */
  upload: async (request, query) => {
    const upload = waiter(query.get('name'))
    for await (const chunk of request) upload.bytes += chunk.length
    upload.state = 'done'
    return { bytes: upload.bytes }
  },
  progress: async (_request, query) => ({
    bytes: waiter(query.get('name')).bytes,
    state: waiter(query.get('name')).state,
  }),
  /** Sends 'one ', waits for /release, sends 'two'. */
  stream: async (_request, query, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('one ')
    await waiter(query.get('name')).released
    response.end('two')
  },
  release: async (_request, query) => {
    waiter(query.get('name')).release()
    return 'released'
  },
  /** Answers nothing; /progress tells when the other side has gone. */
  hang: async (request, query) => {
    const hung = waiter(query.get('name'))
    hung.bytes = 1
    request.socket.on('close', () => (hung.state = 'gone'))
    await hung.released
    return 'released'
  },
  bytes: async (_request, query, response) => {
    const left = Buffer.alloc(Math.min(Number(query.get('n')), 65_536), 'x')
    response.writeHead(200, { 'content-length': query.get('n') })
    for (let n = Number(query.get('n')); n > 0; n -= left.length) {
      if (!response.write(left.subarray(0, n))) await once(response, 'drain')
    }
    response.end()
  },
  status: async (_request, query, response) => {
    response.writeHead(Number(query.get('code')), { 'x-status': query.get('code') }).end()
  },
  redirect: async (_request, query, response) => {
    response.writeHead(302, { location: query.get('to') }).end('elsewhere')
  },
  cookies: async (_request, _query, response) => {
    response.writeHead(200, [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2; Path=/'],
      ['X-Case', 'Kept'],
    ])
    response.end()
  },
  gzip: async (_request, _query, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' })
    response.end(gzipSync('squeezed'))
  },
  head: async (_request, _query, response) => {
    response.writeHead(200, { 'content-length': '12345', 'x-head': 'yes' }).end()
  },
  exit: async (_request, query, response) => {
    response.on('finish', () => process.exit(Number(query.get('code') ?? 0)))
    return 'ends'
  },
  /** Ends before the answer is whole. */
  crash: async (_request, _query, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half', () => process.exit(1))
  },
  write: async (_request, query) => {
    writeFileSync(query.get('path'), 'written')
    return 'written'
  },
  read: async (_request, query) => {
    const path = query.get('path')
    const { uid, gid, mode } = statSync(path)
    return { text: readFileSync(path, 'utf8'), uid, gid, mode: (mode & 0o777).toString(8) }
  },
  dial: async (_request, query) => dial(query.get('host'), Number(query.get('port'))),
  log: async (_request, query) => {
    console.log(query.get('text'))
    return 'logged'
  },
}

/** Answers a request by the first part of its path. */
export async function routes(request, response) {
  const url = new URL(request.url, 'http://probe')
  const name = url.pathname.split('/')[1]
  if (name !== 'seen') seen.push(`${request.method} ${request.headers.host} ${request.url}`)
  const handler = handlers[name]
  if (!handler) return response.writeHead(404).end('nothing here')
  const answer = await handler(request, url.searchParams, response)
  if (answer === undefined || response.headersSent) return
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
  response.writeHead(200, { 'content-type': typeof answer === 'string' ? 'text/plain' : 'application/json' }).end(text)
}
