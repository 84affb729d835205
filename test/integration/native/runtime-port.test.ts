import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { encodeOpening, FromGateway, Kind, ToGateway } from '../../../runtime/protocol/gateway.ts'
import { u16 } from '../../support/native.ts'
import { Stage } from './stage.ts'

describe('the runtime port', () => {
  let stage: Stage
  before(async () => {
    stage = await Stage.open()
  })
  after(() => stage[Symbol.asyncDispose]())

  /** Sends these bytes in a connection of their own; resolves when it is closed or reset. */
  async function closes(bytes: Uint8Array): Promise<void> {
    const socket = connect(await stage.gatewayPort(), '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(bytes)
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  }

  it('closes on a wrong secret, magic, version or kind', async () => {
    const right = encodeOpening(stage.secret, Kind.PARKED)
    for (const at of [0, 4, 5, 36, 37]) {
      const wrong = Uint8Array.from(right)
      wrong[at]! ^= 0x40
      await closes(wrong)
    }
  })

  it('closes on who says too little for 5 s, however many they are, and serves the rest', async () => {
    const little = encodeOpening(stage.secret, Kind.PARKED).subarray(0, 37)
    await Promise.all(Array.from({ length: 100 }, () => closes(little)))
    stage.relay.control.send(ToGateway.UNCOVER, 1, u16(1))
    await stage.relay.control.next(1, FromGateway.DONE)
  })

  it('is not for sandboxes', async () => {
    const app = await stage.app(await stage.sandbox())
    await app.run({ argv: ['sleep', '1000'] })
    const { out } = await app.shell(`wget -q -O- http://${stage.gatewayAddress}:7001/ 2>&1`)
    assert.match(out, /Connection reset by peer/)
  })
})
