import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listeningPorts, portAdvice } from '../../../runtime/object/ports.ts'

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1
   1: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1
   2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4244 1
`
const TCP6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000
`

describe('listening ports', () => {
  it('are those with a listener in either table, once each, ascending', () => {
    assert.deepEqual(listeningPorts(TCP, TCP6), [80, 3000, 8080])
  })

  it('are the app’s own: the engine’s resolver, which listens in there as well, is not counted', () => {
    assert.deepEqual(listeningPorts('   3: 0B00007F:9D3D 00000000:0000 0A 00000000:00000000'), [])
  })

  it('are none in what is no table', () => {
    assert.deepEqual(listeningPorts(), [])
    assert.deepEqual(listeningPorts('', 'x y z 0A', '0: zz:zzzz 0 0A', '\0\0\0'), [])
  })
})

describe('advice about a port', () => {
  it('says what listens instead', () => {
    assert.equal(
      portAdvice(8080, [3000], 3_400),
      'Nothing listens on port 8080, 3 s after the start. The container listens on port 3000: let the app listen on 8080, or let the Worker ask for that one (defaultPort of a Container class).',
    )
    assert.match(
      portAdvice(8080, [80, 3000], 60_000),
      /60 s after the start\. The container listens on ports 80, 3000:/,
    )
  })

  it('says where to look when nothing listens', () => {
    assert.equal(
      portAdvice(8080, [], 3_000),
      'Nothing listens on port 8080, 3 s after the start. The container listens on no port yet: look at its log.',
    )
  })
})
