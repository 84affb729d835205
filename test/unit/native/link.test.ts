import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { CommandFlag, FromAgent, ToAgent } from '../../../runtime/protocol/agent.ts'
import { MAX_PAYLOAD_BYTES, WINDOW_BYTES } from '../../../runtime/protocol/frames.ts'
import { all, exit, number, u32 } from '../../support/native.ts'
import { SanitizedAgent } from './sanitized.ts'

describe('a lost link', () => {
  it('is opened again, and says that the app runs', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.socket.destroy()
    assert.equal((await agent.link()).hello, 1)
  })

  it('leaves processes alone, and says again what may have been lost', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sh', '-c', 'read a; echo $a; exit 4'], flags: CommandFlag.STDIN })
    const pid = number((await link.next(5, FromAgent.STARTED)).payload)
    link.command(ToAgent.SPAWN, 6, { argv: ['sh', '-c', 'exit 7'] })
    await exit(link, 6)
    await all(link, 6, 1)
    await all(link, 6, 2)
    link.command(ToAgent.SPAWN, 7, { argv: ['true'] })
    await exit(link, 7)
    link.send(ToAgent.EXITED, 7)
    link.socket.end()
    const again = (await agent.link()).link
    assert.equal(number((await again.next(5, FromAgent.STARTED)).payload), pid)
    assert.deepEqual(await exit(again, 6), [7, 0])
    assert.equal(await all(again, 6, 1), '')
    assert.equal(await all(again, 6, 2), '')
    again.send(ToAgent.DATA, 5, Buffer.from('still here\n'))
    assert.equal(await all(again, 5, 1), 'still here\n')
    assert.deepEqual(await exit(again, 5), [4, 0])
    assert.deepEqual(
      again.rest.filter((f) => f.id === 7),
      [],
    )
  })

  it('gives output a full window again', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['head', '-c', '5000000', '/dev/zero'] })
    const isData = (f: { id: number; type: number }) => f.id === 5 && f.type === FromAgent.DATA
    for (let seen = 0; seen < WINDOW_BYTES; ) seen += (await link.nextWhere(isData)).payload.length - 1
    link.socket.destroy()
    const again = (await agent.link()).link
    assert.equal((await all(again, 5, 1)).length, 5_000_000 - WINDOW_BYTES)
  })

  it('is what a frame over the cap leads to', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.socket.write(Uint8Array.of(...u32(MAX_PAYLOAD_BYTES + 1), ToAgent.DATA, 0, 0, 0, 0))
    await once(link.socket, 'close')
    assert.equal((await agent.link()).hello, 1)
  })
})

describe('the queue', () => {
  it('holds a bounded amount for a reader that does not read, and nothing is lost', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.socket.pause()
    for (let id = 1; id <= 20; id++) link.command(ToAgent.SPAWN, id, { argv: ['head', '-c', '1000000', '/dev/zero'] })
    for (let id = 21; id <= 5000; id++) link.send(ToAgent.ASK, id, [1])
    link.socket.resume()
    for (let id = 1; id <= 20; id++) assert.equal((await all(link, id, 1)).length, 1_000_000)
    for (let id = 21; id <= 5000; id++) await link.next(id, FromAgent.FACT)
  })
})
