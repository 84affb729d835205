/** The certificates in samples/tls/ are good for nothing else, until 2126. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { Engine } from '../../../runtime/engine/engine.ts'
import { VERSION } from './stand-in.ts'

const pem = (name: string) => readFileSync(new URL(`samples/tls/${name}.pem`, import.meta.url), 'utf8')

let server: Server
before(async () => {
  const options = { ca: pem('ca'), cert: pem('server'), key: pem('server-key'), requestCert: true }
  server = createServer({ ...options, rejectUnauthorized: true }, (_, response) =>
    response.end(JSON.stringify(VERSION)),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => server.close())

const address = (host: string, more: object) => {
  const { port } = server.address() as { port: number }
  return { protocol: 'https', host, port, ...more }
}
const login = { cert: pem('client'), key: pem('client-key') }

describe('an engine over TLS', () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    it(`is reached at ${host} with the certificates of both`, async () => {
      await using engine = await Engine.connect(address(host, { ca: pem('ca'), ...login }))
      assert.equal(engine.about.version, VERSION.Version)
      assert.match(engine.name, /^tcp \(TLS\):/)
    })
  }

  it('is refused when its certificate is not of the authority', async () => {
    await assert.rejects(Engine.connect(address('127.0.0.1', login)), {
      code: 'engine-error',
      message: /do not agree on TLS: .*certificate/,
    })
  })

  it('may have any certificate where that is asked for', async () => {
    await using engine = await Engine.connect(address('127.0.0.1', { ...login, insecure: true }))
    assert.equal(engine.about.arch, 'amd64')
  })

  it('refuses who has no certificate', async () => {
    await assert.rejects(Engine.connect(address('127.0.0.1', { ca: pem('ca') })), { name: 'MoorageError' })
  })
})
