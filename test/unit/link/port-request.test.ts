import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answerHeaders, mayRepeat, requestHeaders } from '../../../runtime/link/port-request.ts'

describe('the headers for the container', () => {
  it('begin with the URL’s host, whatever the caller set', () => {
    assert.deepEqual(requestHeaders(['host', '127.0.0.1:1', 'Host', 'other'], 'container:80'), ['Host', 'container:80'])
  })

  it('keep names, values, order and repetitions', () => {
    const raw = ['X-A', '1', 'authorization', 'Bearer x', 'x-a', '2', 'Content-Length', '3']
    assert.deepEqual(requestHeaders(raw, 'h'), ['Host', 'h', ...raw])
  })

  it('have none of ours and none of the hop’s', () => {
    const raw = ['x-moorage-token', 't', 'X-Moorage-Seq', '1', 'Connection', 'x', 'keep-alive', '5', 'te', 'trailers']
    assert.deepEqual(requestHeaders(raw, 'h'), ['Host', 'h', 'te', 'trailers'])
  })

  it('have none that workerd added by itself', () => {
    const raw = ['CF-Worker', 'example', 'Accept-Encoding', 'br', 'user-agent', 'mine']
    assert.deepEqual(requestHeaders(raw, 'h', 'accept-encoding, cf-worker'), ['Host', 'h', 'user-agent', 'mine'])
  })

  it('keep what is needed to read the body', () => {
    assert.deepEqual(requestHeaders(['Transfer-Encoding', 'chunked'], 'h'), [
      'Host',
      'h',
      'Transfer-Encoding',
      'chunked',
    ])
  })
})

describe('the headers of an answer', () => {
  it('are the container’s, without the hop’s', () => {
    const raw = ['Set-Cookie', 'a=1', 'Connection', 'close', 'set-cookie', 'b=2', 'Keep-Alive', '1', 'Location', '/x']
    assert.deepEqual(answerHeaders(raw), ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Location', '/x'])
  })
})

describe('whether a request may be sent again', () => {
  it('is so where it has no body, and twice is as good as once', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.equal(mayRepeat(method, {}), true, method)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) assert.equal(mayRepeat(method, {}), false, method)
    assert.equal(mayRepeat('GET', { 'content-length': '1' }), false)
    assert.equal(mayRepeat('GET', { 'transfer-encoding': 'chunked' }), false)
  })
})
