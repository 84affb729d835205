import { IDLE } from '../plain.ts'
import { idle, lines, others, run, sh, text } from '../run.ts'
import { outcome, pending, until } from '../tell.ts'
import type { Sentences } from './index.ts'
import { CATCHABLE } from './signal.ts'

/** exec() that must not start anything: the calls of the exceptions, by name. */
const BAD: Record<string, (container: Container) => Promise<unknown>> = {
  'no arguments': (c) => (c.exec as (cmd?: unknown) => Promise<unknown>)(),
  'a string': (c) => c.exec('true' as unknown as string[]),
  'an empty array': (c) => c.exec([]),
  'options that are no object': (c) => c.exec(['true'], 'x' as ContainerExecOptions),
  'an unknown stdout mode': (c) => c.exec(['true'], { stdout: 'combined' as 'pipe' }),
  'an unknown stderr mode': (c) => c.exec(['true'], { stderr: 'inherit' as 'pipe' }),
  'combined with an ignored stdout': (c) => c.exec(['true'], { stdout: 'ignore', stderr: 'combined' }),
  'pty with stderr of its own': (c) => c.exec(['true'], { pty: true, stderr: 'pipe' }),
  'pty with an ignored stdout': (c) => c.exec(['true'], { pty: true, stdout: 'ignore' }),
  'pty without columns': (c) => c.exec(['true'], { pty: { cols: 0 } }),
  'pty with too many rows': (c) => c.exec(['true'], { pty: { rows: 65536 } }),
  'an aborted signal': (c) => c.exec(['true'], { signal: AbortSignal.abort(new RangeError('enough')) }),
  'an aborted signal, its reason no error': (c) => c.exec(['true'], { signal: AbortSignal.abort('enough') }),
  'NUL in cwd': (c) => c.exec(['true'], { cwd: '/a\0b' }),
  'NUL in user': (c) => c.exec(['true'], { user: 'a\0b' }),
  'env that is no object': (c) => c.exec(['true'], { env: 'A=b' as unknown as Record<string, string> }),
  'an environment name with =': (c) => c.exec(['true'], { env: { 'A=B': 'x' } }),
  'an environment name with NUL': (c) => c.exec(['true'], { env: { 'A\0B': 'x' } }),
  'an environment value with NUL': (c) => c.exec(['true'], { env: { A: 'x\0y' } }),
  'a stdin that is another word': (c) => c.exec(['true'], { stdin: 'inherit' as 'pipe' }),
  'a stdin that is bytes': (c) => c.exec(['true'], { stdin: new Uint8Array(2) as unknown as ReadableStream }),
  'a stdin that someone reads': (c) => {
    const stdin = new Response('x').body as ReadableStream
    stdin.getReader()
    return c.exec(['true'], { stdin })
  },
}

/** Each of these has all faults of the ones after it too. */
const ORDER: ContainerExecOptions[] = [
  { stdout: 'x' as 'pipe' },
  { stderr: 'x' as 'pipe' },
  { stdout: 'ignore', stderr: 'combined' },
  { signal: AbortSignal.abort('aborted') },
  { cwd: '\0' },
  { user: '\0' },
  { env: { '=': '' } },
  { stdin: 'x' as 'pipe' },
]

const TRAPS = `for n in ${CATCHABLE.join(' ')}; do trap "echo $n" $n; done; echo ready; while :; do sleep 100 > /dev/null 2>&1 & wait $!; done`

export const execRules: Sentences = {
  bad(o, { call = '' }) {
    idle(o)
    return outcome(() => BAD[call]?.(o.container))
  },

  badWhileStopped: (o, { call = '' }) => outcome(() => BAD[call]?.(o.container)),

  async badStartsNothing(o) {
    idle(o)
    for (const call of Object.values(BAD)) await call(o.container).catch(() => {})
    return others(o)
  },

  async order(o) {
    idle(o)
    const told = []
    for (let i = 0; i < ORDER.length; i++) {
      const { rejected } = (await outcome(() =>
        o.container.exec(['true'], Object.assign({}, ...ORDER.slice(i).reverse())),
      )) as { rejected: { message?: string; value?: unknown } }
      told.push(rejected.message ?? rejected.value)
    }
    return told
  },

  async afterTheEnd(o) {
    o.container.start({ entrypoint: ['true'] })
    await o.container.monitor()
    return outcome(() => o.container.exec(['true']))
  },

  async output(o) {
    idle(o)
    const process = await o.container.exec(['node', '--version'])
    const output = await process.output()
    return {
      pid: process.pid,
      exitCode: output.exitCode,
      stdout: new TextDecoder().decode(output.stdout),
      buffers: [output.stdout instanceof ArrayBuffer, output.stderr instanceof ArrayBuffer],
      stderrBytes: output.stderr.byteLength,
      names: [String(process), String(output)],
      own: Object.keys(process),
    }
  },

  arguments(o) {
    idle(o)
    return run(o, ['printf', '[%s]', '$HOME | cat', 'a "b" c', '', 'zwei\nZeilen', 'ünï 🚢', '*'])
  },

  async pid(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'echo $$'])
    return `${process.pid}\n` === (await text(process.stdout))
  },

  exitCodes(o) {
    idle(o)
    return Promise.all(['exit 0', 'exit 7', 'exit 255', 'kill -9 $$', 'kill -15 $$'].map((s) => sh(o, s))).then((all) =>
      all.map(({ exitCode }) => exitCode),
    )
  },

  async exitCodeIsOnePromise(o) {
    idle(o)
    const process = await o.container.exec(['true'])
    const { exitCode } = process
    return [exitCode === process.exitCode, exitCode instanceof Promise, await exitCode]
  },

  async exitCodeUnread(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'])
    const exitCode = await process.exitCode
    return [exitCode, await text(process.stdout), await text(process.stderr)]
  },

  async notStarted(o, { how }) {
    idle(o)
    const cases: Record<string, () => Promise<unknown>> = {
      missing: () => o.container.exec(['/no/such/program']),
      notOnPath: () => o.container.exec(['no-such-program']),
      notExecutable: () => o.container.exec(['/etc/passwd']),
      cwd: () => o.container.exec(['true'], { cwd: '/no/such/folder' }),
      cwdIsFile: () => o.container.exec(['true'], { cwd: '/etc/passwd' }),
      user: () => o.container.exec(['true'], { user: 'nobody-of-that-name' }),
      interpreter: async () => {
        await run(o, ['sh', '-c', 'echo "#!/no/such/interpreter" > /tmp/script; chmod +x /tmp/script'])
        return o.container.exec(['/tmp/script'])
      },
    }
    return outcome(cases[how ?? ''] ?? (() => 'no such case'))
  },

  async cwd(o) {
    idle(o)
    const folders = [undefined, '/tmp', '', '../tmp']
    const ran = folders.map((cwd) => run(o, ['pwd'], cwd === undefined ? {} : { cwd }))
    return (await Promise.all(ran)).map(({ stdout }) => stdout)
  },

  async env(o) {
    idle(o, { env: { FROM_START: 'start', OVERRIDDEN: 'start' } })
    const { stdout } = await run(o, ['env'], { env: { OVERRIDDEN: 'exec', OWN: 'a=b c', EMPTY: '' } })
    const env = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s)))
    const { FROM_IMAGE, FROM_START, OVERRIDDEN, OWN, EMPTY, CLOUDFLARE_DURABLE_OBJECT_ID } = env
    const id = CLOUDFLARE_DURABLE_OBJECT_ID === o.state.id.toString()
    const { stdout: after } = await run(o, ['sh', '-c', 'echo $OVERRIDDEN $OWN'])
    return { FROM_IMAGE, FROM_START, OVERRIDDEN, OWN, EMPTY, id, after }
  },

  async user(o) {
    idle(o)
    const users = [undefined, 'node', '1000', '1000:0', 'node:root', '12345:54321', '0', '']
    const ids = users.map((user) => run(o, ['sh', '-c', 'echo $(id -u):$(id -g)'], user === undefined ? {} : { user }))
    return (await Promise.all(ids)).map(({ stdout }) => stdout.trim())
  },

  async kill(o, { signal }) {
    idle(o)
    const process = await o.container.exec(['sleep', '1000'])
    if (signal === undefined) process.kill()
    else process.kill(Number(signal))
    return process.exitCode
  },

  async killOutOfRange(o, { signal }) {
    idle(o)
    const process = await o.container.exec(['sleep', '1000'])
    const told = await outcome(() => process.kill(Number(signal)))
    process.kill(9)
    return { ...told, exitCode: await process.exitCode }
  },

  async killAfterTheEnd(o) {
    idle(o)
    const process = await o.container.exec(['true'])
    await process.exitCode
    return [await outcome(() => process.kill()), await outcome(() => process.kill(65))]
  },

  /** Each number reaches the process that it is sent to, and its neighbour hears none. */
  async killEach(o) {
    idle(o)
    const [one, two] = await Promise.all([1, 2].map(() => o.container.exec(['sh', '-c', TRAPS])))
    if (!one || !two) throw new Error('two processes were started')
    const [heard, neighbour] = [lines(one.stdout), lines(two.stdout)]
    const ready = [await heard.next(), await neighbour.next()]
    const wrong = []
    for (const n of CATCHABLE) {
      one.kill(n)
      const line = await heard.next()
      if (line !== String(n)) wrong.push(`${n}: ${line}`)
    }
    one.kill(9)
    two.kill(9)
    return { ready, wrong, ends: [await one.exitCode, await two.exitCode], neighbour: await neighbour.next() }
  },

  async killInOrder(o) {
    idle(o)
    const process = await o.container.exec([
      'sh',
      '-c',
      'trap "echo usr1" USR1; echo ready; while :; do sleep 0.02; done',
    ])
    const heard = lines(process.stdout)
    await heard.next()
    process.kill(10)
    const first = await heard.next()
    process.kill(19)
    process.kill(18)
    process.kill(9)
    return [first, await process.exitCode]
  },

  async ignoresTerm(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'trap "" TERM; echo ready; read line; echo "$line"'], {
      stdin: 'pipe',
    })
    const heard = lines(process.stdout)
    await heard.next()
    process.kill()
    const writer = (process.stdin as WritableStream).getWriter()
    await writer.write(new TextEncoder().encode('still here\n'))
    return [await heard.next(), await process.exitCode]
  },

  async abortLater(o) {
    idle(o)
    const controller = new AbortController()
    const process = await o.container.exec(['sh', '-c', 'trap "" TERM; echo ready; sleep 1000'], {
      signal: controller.signal,
    })
    await lines(process.stdout).next()
    controller.abort(new Error('enough'))
    return process.exitCode
  },

  async abortAtOnce(o) {
    idle(o)
    const controller = new AbortController()
    const started = o.container.exec(['sleep', '1000'], { signal: controller.signal })
    controller.abort()
    return (await started).exitCode
  },

  /** Who stops reading is no reason to run on; who never reads is. */
  async stopsReading(o) {
    idle(o)
    const start = (options?: ContainerExecOptions) =>
      o.container.exec(['sh', '-c', 'while :; do echo tick; sleep 0.02; done'], options)
    const [cancelled, left, unread, ignored] = await Promise.all([
      start(),
      start(),
      start(),
      start({ stdout: 'ignore' }),
    ])
    const reader = (cancelled as ExecProcess).stdout?.getReader()
    await reader?.read()
    await reader?.cancel()
    for await (const _ of (left as ExecProcess).stdout as ReadableStream) break
    const before = (await start()).stdout?.cancel()
    const ends = await Promise.all([cancelled?.exitCode, left?.exitCode])
    await before
    await scheduler.wait(200)
    const alive = await Promise.all([unread, ignored].map((one) => pending((one as ExecProcess).exitCode)))
    unread?.kill(9)
    ignored?.kill(9)
    await until('all have ended', async () => (await others(o)).length === 0)
    return { ends, alive }
  },

  async orphans(o) {
    idle(o)
    const { stdout } = await sh(o, '(sleep 0.05 & sleep 0.05 &) ; echo started')
    await until('the orphans are gone', async () => (await others(o)).length === 0)
    return stdout
  },

  /** One argument, one variable, and all together, up to what Linux takes; then more. */
  async long(o) {
    idle(o)
    const argument = ['sh', '-c', 'echo ${#1}', 'sh']
    const all = ['sh', '-c', 'n=0; for a; do n=$((n + ${#a})); done; echo $n', 'sh']
    const ran = [
      run(o, [...argument, 'x'.repeat(131_000)]),
      run(o, ['sh', '-c', 'echo ${#LONG}'], { env: { LONG: 'x'.repeat(131_000) } }),
      run(o, [...all, ...Array<string>(18).fill('x'.repeat(100_000))]),
      run(o, ['sh', '-c', 'echo $#', 'sh', ...Array<string>(60_000).fill('x')]),
    ]
    const refused = [
      outcome(() => run(o, [...argument, 'x'.repeat(132_000)])),
      outcome(() => run(o, [...all, ...Array<string>(30).fill('x'.repeat(100_000))])),
      outcome(() => run(o, [...all, ...Array<string>(90).fill('x'.repeat(100_000))])),
    ]
    return { lengths: (await Promise.all(ran)).map(({ stdout }) => stdout), refused: await Promise.all(refused) }
  },

  async many(o, { count }) {
    idle(o)
    const all = await Promise.all(Array.from({ length: Number(count) }, (_, i) => run(o, ['echo', String(i)])))
    const wrong = all.filter(
      ({ exitCode, stdout, stderr }, i) => exitCode !== 0 || stdout !== `${i}\n` || stderr !== '',
    )
    return { wrong, others: await others(o) }
  },

  /** In the turn of the start: the process waits for its container. */
  rightAfterStart(o) {
    o.container.start({ entrypoint: IDLE })
    return run(o, ['echo', 'hello'])
  },
}
