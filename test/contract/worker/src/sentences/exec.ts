import type { PlainObject } from '../plain.ts'
import { outcome, pending, tell, until } from '../tell.ts'
import { execStreams } from './exec-streams.ts'
import { execTerminal } from './exec-terminal.ts'
import type { Sentence, Sentences } from './index.ts'

const text = (bytes: ArrayBuffer): string => new TextDecoder().decode(bytes)

/** Runs a process to its end: what it wrote, and its exit code. */
async function run(o: PlainObject, cmd: string[], options?: ContainerExecOptions) {
  const output = await (await o.container.exec(cmd, options)).output()
  return { stdout: text(output.stdout), stderr: text(output.stderr), exitCode: output.exitCode }
}

/** Sentences run in a container whose server is up. */
function started(sentence: Sentence): Sentence {
  return async (o, args) => {
    await o.boot()
    return sentence(o, args)
  }
}

const inContainer: Sentences = {
  shell: (o) => run(o, ['sh', '-c', 'echo out; echo err >&2; exit 3']),

  /** `options` and `cmd` are JSON: anything that exec() should refuse. */
  refuses: (o, { cmd, options }) =>
    outcome(() => o.container.exec(JSON.parse(cmd ?? '["true"]'), JSON.parse(options ?? '{}'))),

  badStdin: (o) => outcome(() => o.container.exec(['true'], { stdin: 'inherit' as 'pipe' })),

  noShell: (o) => run(o, ['echo', '$HOME', '*', '|', 'cat', '> /tmp/x']),

  oddArguments: (o) =>
    run(o, ['node', '-p', 'JSON.stringify(process.argv.slice(1))', '', 'two words', 'naïve ✓', '-x']),

  cwd: (o) => run(o, ['pwd'], { cwd: '/tmp' }),

  ownCwd: (o) => run(o, ['pwd']),

  user: async (o, { user }) => (await run(o, ['id', '-u'], { user: user ?? '' })).stdout,

  group: async (o, { user }) => (await run(o, ['id', '-g'], { user: user ?? '' })).stdout,

  pidIsItsOwn: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'echo $$'])
    return { same: text((await process.output()).stdout).trim() === String(process.pid), isNumber: process.pid > 1 }
  },

  exitCode: async (o, { code }) => (await o.container.exec(['sh', '-c', `exit ${code}`])).exitCode,

  exitCodeIsOne: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'exit 5'])
    const first = process.exitCode
    return { same: first === process.exitCode, first: await first, later: await process.exitCode }
  },

  exitCodeOfASignal: async (o) => {
    const process = await o.container.exec(['sleep', '1000'])
    process.kill(9)
    return process.exitCode
  },

  killByDefault: async (o) => {
    const process = await o.container.exec(['sleep', '1000'])
    process.kill()
    return process.exitCode
  },

  killNumber: async (o, { number }) => {
    const process = await o.container.exec(['sleep', '1000'])
    const killed = await outcome(() => process.kill(Number(number)))
    process.kill(9)
    await process.exitCode
    return killed
  },

  killOneThatIsGone: async (o) => {
    const process = await o.container.exec(['true'])
    await process.exitCode
    return outcome(() => process.kill())
  },

  killIsHandled: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done'])
    await process.stdout?.getReader().read()
    process.kill(10)
    return process.exitCode
  },

  outputTwice: async (o) => {
    const process = await o.container.exec(['echo', 'once'])
    await process.output()
    return outcome(() => process.output())
  },

  outputAfterReading: async (o, { stream }) => {
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2'])
    await (stream === 'stderr' ? process.stderr : process.stdout)?.getReader().read()
    return outcome(() => process.output())
  },

  ignored: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2; exit 2'], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    const output = await process.output()
    return {
      streams: [!process.stdout, !process.stderr, process.stdout ?? 'none'],
      sizes: [output.stdout.byteLength, output.stderr.byteLength],
      exitCode: output.exitCode,
    }
  },

  combined: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2'], { stderr: 'combined' })
    const output = await process.output()
    return {
      stderr: process.stderr ?? 'none',
      lines: text(output.stdout).split('\n').filter(Boolean).sort(),
      errBytes: output.stderr.byteLength,
    }
  },

  signalBefore: (o) => {
    const signal = AbortSignal.abort(new Error('not now'))
    return outcome(() => o.container.exec(['true'], { signal }))
  },

  signalLater: async (o) => {
    const controller = new AbortController()
    const process = await o.container.exec(['sleep', '1000'], { signal: controller.signal })
    controller.abort()
    return process.exitCode
  },

  exitCodeWithUnreadOutput: async (o) => {
    const process = await o.container.exec(['sh', '-c', 'echo unread; exit 4'])
    return process.exitCode
  },

  many: async (o) => {
    const runs = Array.from({ length: 20 }, (_, i) => run(o, ['echo', String(i)]))
    return (await Promise.all(runs)).every(({ stdout }, i) => stdout === `${i}\n`)
  },

  /** Several commands in turn, as onStart does. */
  inTurn: async (o) => {
    await run(o, ['sh', '-c', 'echo one > /tmp/turn'])
    await run(o, ['sh', '-c', 'echo two >> /tmp/turn'])
    return run(o, ['cat', '/tmp/turn'])
  },

  runsOn: async (o) => {
    const process = await o.container.exec(['sleep', '1000'])
    const runs = await pending(process.exitCode)
    process.kill(9)
    await process.exitCode
    return runs
  },
}

export const exec: Sentences = {
  ...execStreams,
  ...execTerminal,
  ...Object.fromEntries(Object.entries(inContainer).map(([name, sentence]) => [name, started(sentence)])),

  notRunning: (o) => outcome(() => o.container.exec([])),

  async environment(o) {
    await o.boot({ env: { FROM_START: 'start', CHANGED: 'start' } })
    const names = 'FROM_IMAGE FROM_START CHANGED ADDED CLOUDFLARE_DURABLE_OBJECT_ID'
    const script = `for n in ${names}; do eval "echo $n=\\$$n"; done`
    const { stdout } = await run(o, ['sh', '-c', script], { env: { CHANGED: 'exec', ADDED: 'exec' } })
    return stdout.replace(o.state.id.toString(), '<id>').split('\n').filter(Boolean)
  },

  async destroyedMeanwhile(o) {
    await o.boot()
    const process = await o.container.exec(['sleep', '1000'])
    const ended = process.exitCode.then(
      (code) => ({ resolved: code }),
      (error) => ({ rejected: tell(error) }),
    )
    await o.container.destroy()
    return 'rejected' in (await ended)
  },

  async endsWithItsContainer(o) {
    await o.boot()
    const process = await o.container.exec(['sleep', '1000'])
    await o.get('exit?code=0')
    await until('the exec has settled', async () => !(await pending(process.exitCode, 20)))
    return o.container.running
  },
}
