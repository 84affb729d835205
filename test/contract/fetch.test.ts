import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about(
  'getTcpPort().fetch',
  'http',
  (ask, together) => {
    it('sends the URL’s host and port as Host', async () => {
      const url = 'http://quotes.example:1234/echo'
      assert.deepEqual(await together('hostHeader', { url }), ['host: quotes.example:1234'])
    })

    it('sends the URL’s host alone where it names no port', async () => {
      assert.deepEqual(await together('hostHeader', { url: 'http://quotes.example/echo' }), ['host: quotes.example'])
    })

    it('sends the URL’s host whatever Host the caller set', async () => {
      const url = 'http://quotes.example:1234/echo'
      assert.deepEqual(await together('hostHeader', { url, host: 'mine.example' }), ['host: quotes.example:1234'])
    })

    it('adds no header', async () => {
      assert.deepEqual(await together('noOthers'), ['host: container'])
    })

    it('loses no header', async () => {
      assert.deepEqual(await together('noneLost'), [
        'accept-encoding: identity',
        'accept: text/x-mine',
        'authorization: Bearer mine',
        'cf-connecting-ip: 192.0.2.7',
        'cookie: a=1; b=2',
        'forwarded: for=192.0.2.7',
        'host: container',
        'user-agent: contract',
        'x-empty: ',
      ])
    })

    it('sends every method', async () => {
      assert.deepEqual(await together('methods'), ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
    })

    it('sends path and query as they are, without the fragment', async () => {
      assert.equal(await together('path'), '/echo/a%2Fb/%C3%A9?q=1&q=2&empty=&space=a%20b')
    })

    it('takes a Request', async () => {
      assert.deepEqual(await together('requestObject'), { method: 'POST', body: 'text', header: true })
    })

    for (const size of ['0', '1', '65537', '3000000']) {
      it(`sends a body of ${size} bytes whole`, async () => {
        assert.deepEqual(await together('requestBody', { size }), { bytes: Number(size), same: true })
      })
    }

    it('tells the length of a body that is known, and not of a stream', async () => {
      assert.deepEqual(await together('framing'), { known: ['content-length'], streamed: ['transfer-encoding'] })
    })

    it('streams the request’s body', async () => {
      assert.deepEqual(await together('requestStreams'), { arrived: 1000, whole: { bytes: 1500 } })
    })

    it('streams the answer’s body', async () => {
      assert.deepEqual(await together('responseStreams'), ['one ', 'two'])
    })

    it('gives a large body whole', async () => {
      assert.equal(await together('responseBody', { size: '20000000' }), 20_000_000)
    })

    it('sends and receives large bodies at once', async () => {
      assert.deepEqual(await together('bothWays'), { up: 8 << 20, down: 8 << 20 })
    })

    it('decodes an encoded body as fetch does, and keeps its header', async () => {
      assert.deepEqual(await together('encoded'), { encoding: 'gzip', text: 'squeezed' })
    })

    it('goes on working after a body was cancelled', async () => {
      assert.equal(await together('cancelled'), 200)
    })

    for (const code of ['201', '204', '304', '404', '418', '503']) {
      it(`passes status ${code} unchanged`, async () => {
        assert.deepEqual(await together('status', { code }), { status: Number(code), body: '', header: code })
      })
    }

    it('passes the answer to HEAD unchanged', async () => {
      assert.deepEqual(await together('head'), { status: 200, length: '12345', mine: 'yes', body: '' })
    })

    it('passes several headers of one name', async () => {
      assert.deepEqual(await together('responseHeaders'), { cookies: ['a=1', 'b=2; Path=/'], case: 'Kept' })
    })

    it('leaves redirects to the caller', async () => {
      assert.deepEqual(await together('redirectManual'), {
        status: 302,
        location: 'http://elsewhere.example/there',
        body: 'elsewhere',
      })
    })

    it('follows a redirect into the same port where the caller wants that', async () => {
      assert.deepEqual(await together('redirectFollow'), { status: 200, body: 'ok' })
    })

    it('rejects with the reason of a signal that is aborted before', async () => {
      assert.equal((await together('abortedBefore')).rejected?.message, 'not now')
    })

    it('rejects when the signal is aborted meanwhile, and the server sees the connection go', async () => {
      assert.deepEqual(await together('abortedMeanwhile'), { rejected: true })
    })

    it('rejects when the container ends meanwhile', async () => {
      const { rejected } = await ask('lostMeanwhile')
      assert.match(rejected?.message, /Network connection lost\./)
    })

    it('fails the body when the container ends in the middle of it', async () => {
      assert.deepEqual(await ask('lostInTheBody'), { rejected: true })
    })

    it('serves many requests at once', async () => {
      assert.equal(await together('manyAtOnce'), true)
    })

    it('lets no unread body hold up another request', async () => {
      assert.equal(await together('unreadBody'), 'ok')
    })

    it('waits for an answer that takes its time', async () => {
      assert.deepEqual(await together('slowAnswer'), { waits: true, text: 'released' })
    })
  },
  { waits: ['block', 'transaction'] },
)

about(
  'getTcpPort().fetch with Upgrade: websocket',
  'http',
  (ask, together) => {
    it('opens a WebSocket, with the headers of the 101', async () => {
      assert.deepEqual(await together('upgrade'), { status: 101, header: 'yes', echoed: 'hello' })
    })

    it('sends the URL’s host and the caller’s headers, and none of ours', async () => {
      assert.deepEqual(await together('upgradeHost'), { host: 'container', mine: 'yes', forbidden: [] })
    })

    it('carries binary messages', async () => {
      assert.deepEqual(await together('binary'), [0, 1, 254, 255])
    })

    it('carries large messages', async () => {
      assert.equal(await together('large'), true)
    })

    it('keeps the order of many messages', async () => {
      assert.equal(await together('manyMessages'), true)
    })

    it('carries the subprotocol', async () => {
      assert.equal(await together('protocol'), 'chat')
    })

    it('gives the code and reason with which the container closes', async () => {
      assert.deepEqual(await together('closedByContainer'), { code: 4001, reason: 'asked' })
    })

    it('gives the container the code and reason with which the Worker closes', async () => {
      assert.deepEqual(await together('closedByWorker'), { code: 4002, reason: 'mine' })
    })

    it('closes when the container ends', async () => {
      assert.equal(await ask('lost'), true)
    })

    it('passes an answer that refuses the upgrade', async () => {
      assert.deepEqual(await together('upgradeRefused'), { status: 403, header: 'yes', socket: false, body: 'no' })
    })
  },
  { waits: ['block', 'transaction'] },
)
