import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Tell } from '../../../runtime/protocol/worker.ts'
import { ExecProcess, type ProcessParts } from '../../../runtime/worker/exec-process.ts'
import { Output } from '../../../runtime/worker/exec-streams.ts'

/** A process whose stdout and stderr are texts, and which ends with a code. */
function processOf(parts: Partial<ProcessParts> = {}) {
  const told: Tell[] = []
  const opened: string[] = []
  const output = (name: string) =>
    new Output(async () => {
      opened.push(name)
      return new Response(`${name} bytes`)
    })
  const process = new ExecProcess({
    pid: 7,
    isPty: false,
    stdin: undefined,
    stdout: output('stdout'),
    stderr: output('stderr'),
    exit: async () => 3,
    tell: (one) => void told.push(one),
    ...parts,
  })
  return { process, told, opened }
}

const text = (bytes: ArrayBuffer) => new TextDecoder().decode(bytes)

describe('a process', () => {
  it('bears the platform’s name and has nothing of its own', () => {
    const { process } = processOf()
    assert.equal(String(process), '[object ExecProcess]')
    assert.deepEqual(Object.keys(process), [])
  })

  it('opens no stream that nobody reads', async () => {
    const { process, opened } = processOf()
    assert.ok(process.stdout && process.stderr)
    assert.equal(await process.exitCode, 3)
    assert.deepEqual(opened, [])
  })

  it('opens a stream once, when it is first read', async () => {
    const { process, opened } = processOf()
    assert.equal(await new Response(process.stdout).text(), 'stdout bytes')
    assert.deepEqual(opened, ['stdout'])
  })

  it('asks for its end once', async () => {
    let asked = 0
    const { process } = processOf({ exit: async () => ++asked })
    assert.equal(process.exitCode, process.exitCode)
    assert.deepEqual([await process.exitCode, await process.exitCode], [1, 1])
  })

  it('may fail without anyone looking', async () => {
    const { process } = processOf({ exit: () => Promise.reject(new Error('gone')) })
    void process.exitCode
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(process.exitCode, { message: 'gone' })
  })

  it('sends signals and sizes on', () => {
    const { process, told } = processOf({ isPty: true })
    process.kill()
    process.kill(undefined)
    process.kill('9')
    process.resize(132, 43)
    assert.deepEqual(told, [{ signal: 15 }, { signal: 15 }, { signal: 9 }, { cols: 132, rows: 43 }])
  })

  it('refuses signals that there are not, and sizes where there is no terminal', () => {
    const { process, told } = processOf()
    for (const signal of [0, 65, -1]) assert.throws(() => process.kill(signal), RangeError)
    assert.throws(() => process.resize(0, 0), { name: 'TypeError', message: /started with a PTY/ })
    assert.deepEqual(told, [])
  })
})

describe('output()', () => {
  it('is all of both streams and the exit code', async () => {
    const { process } = processOf()
    const output = await process.output()
    assert.equal(String(output), '[object ExecOutput]')
    assert.deepEqual([text(output.stdout), text(output.stderr), output.exitCode], ['stdout bytes', 'stderr bytes', 3])
  })

  it('is empty where a stream is not there', async () => {
    const { process } = processOf({ stdout: undefined, stderr: undefined })
    const { stdout, stderr } = await process.output()
    assert.deepEqual([process.stdout, process.stderr, stdout.byteLength, stderr.byteLength], [null, null, 0, 0])
  })

  it('is given once', async () => {
    const { process } = processOf()
    await process.output()
    await assert.rejects(process.output(), { name: 'TypeError', message: 'output() can only be called once.' })
  })

  for (const name of ['stdout', 'stderr'] as const) {
    it(`is not given after ${name} was read, or cancelled`, async () => {
      const message = `Cannot call output() after ${name} has started being consumed.`
      for (const how of ['read', 'cancel'] as const) {
        const { process } = processOf()
        const reader = process[name]?.getReader()
        await reader?.[how]()
        reader?.releaseLock()
        await assert.rejects(process.output(), { name: 'TypeError', message })
      }
    })
  }

  it('tells how the process ended rather than that a stream broke', async () => {
    const { process } = processOf({
      stdout: new Output(() => Promise.reject(new Error('Network connection lost.'))),
      exit: () => Promise.reject(new Error('The container has ended.')),
    })
    await assert.rejects(process.output(), { message: 'The container has ended.' })
  })
})
