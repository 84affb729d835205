import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { type Command, CommandFlag, Fact, FromAgent, Step, Stream, ToAgent } from '../../../runtime/protocol/agent.ts'
import { all, exit, failure, number, u16 } from '../../support/native.ts'
import { type App, type Sandbox, Stage } from './stage.ts'

/** Its exit code, and what the engine has in its log. */
async function ended(app: App): Promise<{ code: number; log: string }> {
  const { StatusCode } = await app.container.wait()
  const frames = await app.container.logs({ stdout: true, stderr: true })
  let log = ''
  for (let at = 0; at < frames.length; ) {
    const end = at + 8 + frames.readUInt32BE(at + 4)
    log += frames.toString('utf8', at + 8, end)
    at = end
  }
  return { code: StatusCode, log }
}

/** Runs an app that ends by itself. It may do so before the agent has told that it started. */
async function runToEnd(
  app: App,
  command: Partial<Command> & Pick<Command, 'argv'>,
): Promise<{ code: number; log: string }> {
  app.link.command(ToAgent.RUN, 0, command)
  return await ended(app)
}

describe('an app container', () => {
  let stage: Stage
  let sandbox: Sandbox
  before(async () => {
    stage = await Stage.open()
    sandbox = await stage.sandbox()
  })
  after(() => stage[Symbol.asyncDispose]())

  it("has the app as PID 1: its output is the log, its exit code the container's", async () => {
    const app = await stage.app(sandbox)
    const argv = ['sh', '-c', 'echo pid $$; exit 7']
    assert.deepEqual(await runToEnd(app, { argv }), { code: 7, log: 'pid 1\n' })
  })

  it('gives the app its user, groups, HOME, folder and environment', async () => {
    const app = await stage.app(sandbox)
    const script =
      'id; env | grep -v SHLVL | sort; pwd; (: >/dev/stdout >/dev/stderr) && echo opened; cat; ls /proc/self/fd | wc -w'
    const log = [
      'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)',
      'A=b=c',
      'HOME=/home/app',
      'PATH=/bin',
      'PWD=/home/app',
      '/home/app',
      'opened',
      '4',
      '',
    ]
    const command = { argv: ['sh', '-c', script], env: { PATH: '/bin', A: 'b=c' }, cwd: '/home/app', user: 'app' }
    assert.deepEqual(await runToEnd(app, command), { code: 0, log: log.join('\n') })
  })

  it('knows users as the engine does', async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    const id = async (user: string) => (await app.shell('id', { user })).out.trim()
    assert.equal(await id(''), 'uid=0(root) gid=0(root) groups=0(root),10(wheel)')
    assert.equal(await id('app'), 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)')
    assert.equal(await id('1000'), 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)')
    assert.equal(await id('app:extra'), 'uid=1000(app) gid=2000(extra) groups=2000(extra)')
    assert.equal(await id('4242'), 'uid=4242 gid=0(root) groups=0(root)')
    assert.equal(await id('4242:17'), 'uid=4242 gid=17 groups=17')
    assert.equal((await app.shell('echo $HOME', { user: 'app' })).out, '/home/app\n')
    app.link.command(ToAgent.SPAWN, 1, { argv: ['id'], user: 'nobody-here' })
    assert.deepEqual(await failure(app.link, 1), [constants.errno.ENOENT, Step.USER])
  })

  it('runs a static program of a scratch image, without /etc/passwd', async () => {
    const app = await stage.app(sandbox, { image: 'scratch' })
    await app.run({ argv: ['/sh', '-c', 'echo $HOME; while :; do read never; done <>/dev/zero'], user: '1234:5' })
    app.link.command(ToAgent.SPAWN, 1, { argv: ['./sh', '-c', 'exit 9'] })
    assert.deepEqual(await exit(app.link, 1), [9, 0])
    app.link.command(ToAgent.SPAWN, 2, { argv: ['/sh'], user: 'somebody' })
    assert.deepEqual(await failure(app.link, 2), [constants.errno.ENODATA, Step.USER])
    app.link.command(ToAgent.SPAWN, 4, { argv: ['/sh', '-c', 'exit 8'], user: 'root' })
    assert.deepEqual(await exit(app.link, 4), [8, 0])
    app.link.send(ToAgent.ASK, 3, [Fact.STATUS])
    const status = Buffer.from((await app.link.next(3, FromAgent.FACT)).payload.subarray(1)).toString()
    assert.match(status, /^Uid:\t1234\t1234\t1234\t1234$/m)
    await app.printed('/\n')
  })

  it('ends with 127 and a reason where the program is not there, 126 where it cannot be run', async () => {
    for (const [argv, errno, code] of [
      [['no-such-program'], constants.errno.ENOENT, 127],
      [['/etc/passwd'], constants.errno.EACCES, 126],
    ] as const) {
      const app = await stage.app(sandbox)
      app.link.command(ToAgent.RUN, 0, { argv })
      assert.deepEqual(await failure(app.link, 0), [errno, Step.EXEC])
      assert.equal((await ended(app)).code, code)
    }
  })

  it("does not count the agent among the app's children, nor let it hold them", async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sh', '-c', 'sleep 0.01 & wait; kill -TERM -1; kill -HUP 0; echo done; exec sleep 1000'] })
    await app.printed('done\n')
    assert.equal((await app.shell('exit 3')).code, 3)
    // An orphan of an exec belongs to the agent, not to an app that may not wait for it.
    const { out } = await app.shell('(sleep 0.01; true) & echo $!')
    assert.equal((await app.shell(`while [ -e /proc/${out.trim()} ]; do :; done`)).code, 0)
  })

  it('keeps no capability and no right to reboot', async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    const sysBoot = 1 << 22
    const sets = async (script: string, user = '') => {
      const { out } = await app.shell(script, { user })
      return [...out.matchAll(/^Cap(\w+):\t([0-9a-f]+)$/gm)].map(
        ([, name, hex]) => [name, Number.parseInt(hex!, 16)] as const,
      )
    }
    for (const script of ['grep Cap /proc/1/status', 'grep Cap /proc/self/status']) {
      for (const [name, bits] of await sets(script)) assert.equal(bits & sysBoot, 0, `${script}: ${name}`)
    }
    const ofUser = new Map(await sets('grep Cap /proc/self/status', 'app'))
    assert.deepEqual([ofUser.get('Prm'), ofUser.get('Eff'), ofUser.get('Amb')], [0, 0, 0])
  })

  it("is reached by DIAL at servers on 127.0.0.1, on ::1, on all addresses and on the sandbox's own", async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    for (const [i, host] of ['127.0.0.1', '[::1]', '0.0.0.0', sandbox.address].entries()) {
      const port = 9000 + i
      await app.shell(`httpd -p ${host}:${port} -h /etc`)
      app.link.send(ToAgent.DIAL, port, u16(port))
      app.link.send(ToAgent.DATA, port, Buffer.from('GET /group HTTP/1.0\r\n\r\n'))
      await app.link.next(port, FromAgent.OPENED)
      assert.match(await all(app.link, port, Stream.CONNECTION), /wheel:x:10/)
      app.link.send(ToAgent.EOF, port)
    }
    app.link.send(ToAgent.DIAL, 9999, u16(9999))
    assert.deepEqual(await failure(app.link, 9999), [constants.errno.ECONNREFUSED, Step.CONNECT])
  })

  it('gives a terminal to the user of the process', async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    const script = 'stat -L -c %U /proc/self/fd/0; stty size; echo hi >/dev/tty'
    const { out } = await app.shell(script, { user: 'app', flags: CommandFlag.PTY, cols: 120, rows: 40 })
    assert.equal(out, 'app\r\n40 120\r\nhi\r\n')
  })

  it('gets signals from the agent, as PID 1 does', async () => {
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sh', '-c', 'trap "echo got TERM; exit 5" TERM; echo set; while :; do sleep 0.01; done'] })
    await app.printed('set\n')
    app.link.send(ToAgent.SIGNAL, 0, [15])
    assert.deepEqual(await ended(app), { code: 5, log: 'set\ngot TERM\n' })
  })

  it('ends at once with its stdin, whatever the app and its processes ignore', async () => {
    for (const user of ['', 'app']) {
      const app = await stage.app(sandbox)
      const argv = ['sh', '-c', 'trap "" TERM INT HUP QUIT; echo deaf; while :; do sleep 0.05; done']
      await app.run({ argv, user })
      await app.printed('deaf\n')
      app.link.command(ToAgent.SPAWN, 1, { argv, user })
      assert.ok(number((await app.link.next(1, FromAgent.STARTED)).payload) > 1)
      const start = performance.now()
      app.stdin.destroy()
      assert.equal((await ended(app)).code, 130)
      // Far above the 0.02 s that it takes, far below any grace period.
      assert.ok(performance.now() - start < 2000)
    }
  })

  it('ends with its stdin before it was started, too', async () => {
    const app = await stage.app(sandbox)
    app.stdin.destroy()
    assert.equal((await ended(app)).code, 0)
  })

  it('stops when the engine says so, while it is warm', async () => {
    const app = await stage.app(sandbox)
    await app.container.stop({ t: 60 })
    assert.equal((await ended(app)).code, 143)
  })
})
