import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { CLAIM } from '../../../runtime/protocol/agent.ts'
import { FrameReader, WIRE_VERSION } from '../../../runtime/protocol/frames.ts'
import { startHeld } from '../../../runtime/sandbox/held.ts'
import { settled } from '../object/fakes.ts'
import { fakeProgramEngine } from './fakes.ts'

const OPTIONS = { Image: 'agent', Cmd: ['gateway'] }

describe('a program that is held', () => {
  it('is created with its stdin ours, attached before it starts, and claimed', async () => {
    const log: string[] = []
    const { engine, programs } = fakeProgramEngine(log)
    const secret = new Uint8Array(32).fill(7)
    const { id } = await startHeld(engine, OPTIONS, secret)
    assert.equal(id, 'program1')
    assert.deepEqual(log, ['create program1', 'attach program1', 'start program1'])
    const { OpenStdin, StdinOnce, User, Cmd } = programs[0]!.options
    assert.deepEqual([OpenStdin, StdinOnce, User, Cmd], [true, true, '0:0', ['gateway']])
    const [claim] = new FrameReader().push(Buffer.concat(programs[0]!.stdin))
    assert.deepEqual([claim?.type, Buffer.from(claim?.payload ?? [])], [CLAIM, Buffer.from([WIRE_VERSION, ...secret])])
  })

  it('is there when it says so, however that is cut', async () => {
    const { engine, programs } = fakeProgramEngine([], 'rea')
    const starting = startHeld(engine, OPTIONS)
    await settled()
    programs[0]!.say('dy\n')
    await starting
  })

  it('is removed when it is closed', async () => {
    const log: string[] = []
    const { engine } = fakeProgramEngine(log)
    const held = await startHeld(engine, OPTIONS)
    await held.close()
    await held.ended
    assert.deepEqual(log.slice(3), ['detach program1', 'remove program1'])
  })

  it('leaves no listener on the signal of a session, which outlives its start', async () => {
    const { engine } = fakeProgramEngine([])
    const { signal } = new AbortController()
    await startHeld(engine, OPTIONS, undefined, signal)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('tells its end, however it comes', async () => {
    const { engine, programs } = fakeProgramEngine([])
    const held = await startHeld(engine, OPTIONS)
    programs[0]!.end()
    await held.ended
  })
})

describe('one that cannot be started', () => {
  it('ends before it is ready: what it said is the error, and nothing of it stays', async () => {
    const log: string[] = []
    const { engine, programs } = fakeProgramEngine(log, 'no route\n')
    const starting = assert.rejects(startHeld(engine, OPTIONS), { message: 'It said: no route' })
    await settled()
    programs[0]!.end()
    await starting
    assert.deepEqual(log.slice(-2), ['detach program1', 'remove program1'])
  })

  it('says nothing in time: nothing of it stays', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const log: string[] = []
    const { engine } = fakeProgramEngine(log, '')
    const starting = assert.rejects(startHeld(engine, OPTIONS), { message: 'It said: nothing' })
    await settled()
    t.mock.timers.tick(10_000)
    await starting
    assert.equal(log.at(-1), 'remove program1')
  })

  for (const call of ['attach', 'start']) {
    it(`fails in ${call}: nothing of it stays`, async () => {
      const log: string[] = []
      const { engine, failing } = fakeProgramEngine(log)
      failing.set(call, new Error('no'))
      await assert.rejects(startHeld(engine, OPTIONS), { message: 'no' })
      assert.equal(log.at(-1), 'remove program1')
    })
  }
})
