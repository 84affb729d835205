import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CommandFlag, FromAgent, Stream, ToAgent } from '../../../runtime/protocol/agent.ts'
import { all, exit } from '../../support/native.ts'
import { SanitizedAgent } from './sanitized.ts'

describe('PTY', () => {
  it('has a size from the first instruction, tells resizes, and is one stream', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    const script = 'stty size; trap "stty size; exit" WINCH; echo ready >&2; while :; do sleep 0.01; done'
    link.command(ToAgent.SPAWN, 5, {
      argv: ['sh', '-c', script],
      flags: CommandFlag.PTY | CommandFlag.STDIN,
      cols: 111,
      rows: 30,
    })
    let text = ''
    while (!text.includes('ready'))
      text += Buffer.from((await link.next(5, FromAgent.DATA)).payload.subarray(1)).toString()
    link.send(ToAgent.RESIZE, 5, [51, 0, 99, 0])
    assert.equal(text + (await all(link, 5, Stream.STDOUT)), '30 111\r\nready\r\n99 51\r\n')
    assert.deepEqual(await exit(link, 5), [0, 0])
  })

  it('is a terminal: ^C interrupts, the end of stdin ends a reader', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sleep', '1000'], flags: CommandFlag.PTY })
    await link.next(5, FromAgent.STARTED)
    link.send(ToAgent.DATA, 5, [3])
    assert.deepEqual(await exit(link, 5), [130, 2])
    link.command(ToAgent.SPAWN, 6, { argv: ['cat'], flags: CommandFlag.PTY })
    await link.next(6, FromAgent.STARTED)
    link.send(ToAgent.EOF, 6)
    assert.deepEqual(await exit(link, 6), [0, 0])
  })
})
