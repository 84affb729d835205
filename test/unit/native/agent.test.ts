import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { constants } from 'node:os'
import { describe, it } from 'node:test'
import {
  CLAIM,
  CommandFlag,
  encodeClaim,
  Fact,
  FromAgent,
  Step,
  Stream,
  ToAgent,
} from '../../../runtime/protocol/agent.ts'
import {
  encodeFrame,
  type Frame,
  HEADER_BYTES,
  MAX_COMMAND_BYTES,
  MAX_PAYLOAD_BYTES,
  WINDOW_BYTES,
} from '../../../runtime/protocol/frames.ts'
import { all, exit, failure, number, u32 } from '../../support/native.ts'
import { SanitizedAgent } from './sanitized.ts'

const { E2BIG, EACCES, ENOENT, EALREADY, EBADMSG, EEXIST, ESRCH } = constants.errno

describe('claim', () => {
  it('opens the link with the secret and says that no app runs', async () => {
    await using agent = await SanitizedAgent.start()
    agent.claim()
    assert.equal((await agent.link()).hello, 0)
  })

  it('ends the agent when a claim does not become whole', async () => {
    await using agent = await SanitizedAgent.start()
    const claim = encodeFrame(CLAIM, 0, new Uint8Array(39))
    agent.child.stdin.write(claim.subarray(0, 5))
    agent.child.stdin.end()
    assert.deepEqual(await once(agent.child, 'exit'), [64, null])
  })

  it('ends the agent when another frame comes first', async () => {
    await using agent = await SanitizedAgent.start()
    agent.child.stdin.write(encodeFrame(ToAgent.RUN, 0, new Uint8Array(39)))
    assert.deepEqual(await once(agent.child, 'exit'), [64, null])
  })

  it('names both versions where they differ', async () => {
    await using agent = await SanitizedAgent.start()
    const claim = encodeClaim(agent.secret, '127.0.0.1', 1)
    claim[HEADER_BYTES] = 207
    agent.child.stdin.write(claim)
    await once(agent.child, 'close')
    assert.equal(agent.output, 'moorage-agent speaks wire version 1, the runtime version 207.\n')
  })

  it('ends the agent with its stdin, also while no link can be opened', async () => {
    await using agent = await SanitizedAgent.start()
    agent.child.stdin.write(encodeClaim(agent.secret, '127.0.0.1', 1))
    agent.child.stdin.end()
    assert.deepEqual(await once(agent.child, 'exit'), [0, null])
  })
})

describe('RUN', () => {
  it('makes the first process the app, with its own arguments, environment, folder and nothing else', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    const script =
      'echo "$0 $1"; pwd; env | sort | grep -v ^_; ls -l /proc/self/fd | grep -c " [012] ->"; ls /proc/self/fd | wc -w; readlink /proc/self/fd/0'
    link.command(ToAgent.RUN, 0, {
      argv: ['sh', '-c', script, 'name', 'one'],
      env: { A: '1', HOME: '/h' },
      cwd: '/usr',
    })
    assert.equal(number((await link.next(0, FromAgent.STARTED)).payload), 1)
    await once(agent.child.stdout, 'end')
    const lines = agent.output.trimEnd().split('\n')
    assert.deepEqual(lines.slice(0, 2), ['name one', '/usr'])
    assert.deepEqual(lines.slice(2, -3), [
      'A=1',
      'HOME=/h',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'PWD=/usr',
    ])
    // The fourth descriptor is the folder that ls reads.
    assert.deepEqual(lines.slice(-3), ['3', '4', '/dev/null'])
  })

  it('fails with errno and step, and ends the container with 127 or 126', async () => {
    for (const [command, expected, code] of [
      [{ argv: ['no-such-program'] }, [ENOENT, Step.EXEC], 127],
      [{ argv: ['/etc/passwd'] }, [EACCES, Step.EXEC], 126],
      [{ argv: ['true'], cwd: '/no/such/folder' }, [ENOENT, Step.CWD], 126],
      [{ argv: ['true'], user: 'no-such-user' }, [ENOENT, Step.USER], 126],
    ] as const) {
      const { agent, link } = await SanitizedAgent.linked()
      await using _ = agent
      link.command(ToAgent.RUN, 0, command)
      assert.deepEqual(await failure(link, 0), expected)
      if (agent.child.exitCode === null) await once(agent.child, 'exit')
      assert.equal(agent.child.exitCode, code)
    }
  })

  it('happens once, and refuses what is no command', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    link.send(ToAgent.RUN, 0, [1, 2, 3])
    assert.deepEqual(await failure(link, 0), [EBADMSG, Step.COMMAND])
    link.command(ToAgent.SPAWN, 7, { argv: ['true'] })
    assert.deepEqual(await failure(link, 7), [ESRCH, Step.COMMAND])
    link.command(ToAgent.RUN, 0, { argv: ['sleep', '1000'] })
    await link.next(0, FromAgent.STARTED)
    link.command(ToAgent.RUN, 0, { argv: ['sleep', '1000'] })
    assert.deepEqual(await failure(link, 0), [EALREADY, Step.COMMAND])
  })

  it('passes signals to the app', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.send(ToAgent.SIGNAL, 0, [15])
    assert.deepEqual(await once(agent.child, 'exit'), [null, 'SIGTERM'])
  })
})

describe('SPAWN', () => {
  it('tells pid, output of both streams, their ends and the exit code', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sh', '-c', 'echo $$; echo oops >&2; exit 3'] })
    const pid = number((await link.next(5, FromAgent.STARTED)).payload)
    assert.equal(await all(link, 5, Stream.STDOUT), `${pid}\n`)
    assert.equal(await all(link, 5, Stream.STDERR), 'oops\n')
    assert.deepEqual(await exit(link, 5), [3, 0])
  })

  it('takes a command in parts, and refuses one that has no end', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, {
      argv: ['sh', '-c', 'echo ${#1} ${#2}', 'sh', 'x'.repeat(130_000), 'y'.repeat(70_000)],
    })
    assert.equal(await all(link, 5, Stream.STDOUT), '130000 70000\n')
    // A command that is never finished is forgotten with the next.
    link.send(ToAgent.PART, 7, new Uint8Array(MAX_PAYLOAD_BYTES))
    link.command(ToAgent.SPAWN, 6, { argv: ['true'] })
    assert.deepEqual(await exit(link, 6), [0, 0])
    for (let sent = 0; sent <= MAX_COMMAND_BYTES; sent += MAX_PAYLOAD_BYTES)
      link.send(ToAgent.PART, 8, new Uint8Array(MAX_PAYLOAD_BYTES))
    link.command(ToAgent.SPAWN, 8, { argv: ['true'] })
    assert.deepEqual(await failure(link, 8), [E2BIG, Step.COMMAND])
  })

  it('closes an output that nobody reads: its writer has SIGPIPE, the other goes on', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, {
      argv: ['sh', '-c', 'echo first; read x; echo second; echo unheard >&2'],
      flags: CommandFlag.STDIN,
    })
    await link.next(5, FromAgent.DATA)
    link.send(ToAgent.HANG_UP, 5, [Stream.STDOUT])
    assert.equal((await link.next(5, FromAgent.EOF)).payload[0], Stream.STDOUT)
    link.send(ToAgent.EOF, 5)
    assert.deepEqual(await exit(link, 5), [141, 13])
    // Twice, or for a process that is gone, it is nothing.
    link.send(ToAgent.HANG_UP, 5, [Stream.STDOUT])
    link.command(ToAgent.SPAWN, 6, { argv: ['sh', '-c', 'sleep 0.1; echo out; echo err >&2'] })
    link.send(ToAgent.HANG_UP, 6, [Stream.STDERR])
    assert.equal(await all(link, 6, Stream.STDOUT), 'out\n')
  })

  it('hangs a terminal up that nobody reads', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sleep', '1000'], flags: CommandFlag.PTY })
    await link.next(5, FromAgent.STARTED)
    link.send(ToAgent.HANG_UP, 5, [Stream.STDOUT])
    assert.deepEqual(await exit(link, 5), [129, 1])
  })

  it('feeds stdin, until EOF', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['wc', '-c'], flags: CommandFlag.STDIN })
    for (let i = 0; i < 16; i++) link.send(ToAgent.DATA, 5, new Uint8Array(MAX_PAYLOAD_BYTES))
    link.send(ToAgent.EOF, 5)
    assert.equal(await all(link, 5, Stream.STDOUT), `${WINDOW_BYTES}\n`)
  })

  it('has no stdin, stdout or stderr but those that were asked for', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    const argv = ['sh', '-c', 'cat; echo out; echo err >&2']
    link.command(ToAgent.SPAWN, 1, { argv, flags: CommandFlag.COMBINED })
    assert.equal(await all(link, 1, Stream.STDOUT), 'out\nerr\n')
    link.command(ToAgent.SPAWN, 2, { argv, flags: CommandFlag.NO_STDOUT })
    assert.equal(await all(link, 2, Stream.STDERR), 'err\n')
    link.command(ToAgent.SPAWN, 3, { argv, flags: CommandFlag.NO_STDOUT | CommandFlag.NO_STDERR })
    assert.deepEqual(await exit(link, 3), [0, 0])
    assert.deepEqual(
      link.rest.filter((f) => f.id === 3).map((f) => f.type),
      [FromAgent.STARTED],
    )
  })

  it('says which errno at which step where it cannot be started, and takes the id again', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    for (const [command, expected] of [
      [{ argv: ['no-such-program'] }, [ENOENT, Step.EXEC]],
      [{ argv: ['sub/program'], cwd: '/' }, [ENOENT, Step.EXEC]],
      [{ argv: [''] }, [ENOENT, Step.EXEC]],
      [{ argv: ['/etc'] }, [EACCES, Step.EXEC]],
      [{ argv: ['true'], cwd: '/etc/passwd' }, [constants.errno.ENOTDIR, Step.CWD]],
      [{ argv: ['true'], user: '0:no-such-group' }, [ENOENT, Step.USER]],
    ] as const) {
      link.command(ToAgent.SPAWN, 9, command)
      assert.deepEqual(await failure(link, 9), expected)
    }
    link.command(ToAgent.SPAWN, 0, { argv: ['true'] })
    assert.deepEqual(await failure(link, 0), [EEXIST, Step.LIMIT])
  })

  it('looks a program up in the PATH it was given, from the folder it was given', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 1, { argv: ['sh', '-c', 'echo found'], env: { PATH: '/no/such:bin' }, cwd: '/' })
    assert.equal(await all(link, 1, Stream.STDOUT), 'found\n')
    link.command(ToAgent.SPAWN, 2, { argv: ['sh'], env: { PATH: '/no/such' } })
    assert.deepEqual(await failure(link, 2), [ENOENT, Step.EXEC])
  })

  it('tells the signal that ended it', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    for (const signal of [9, 15, 34, 64]) {
      link.command(ToAgent.SPAWN, signal, { argv: ['sleep', '1000'] })
      await link.next(signal, FromAgent.STARTED)
      link.send(ToAgent.SIGNAL, signal, [signal])
      assert.deepEqual(await exit(link, signal), [128 + signal, signal])
    }
  })

  it('stops a process whose stdout is not read at exactly one window, and nothing else', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    const argv = ['sh', '-c', 'head -c 3000000 /dev/zero 2>&- & read line; echo $line >&2; exec 2>&-; wait']
    link.command(ToAgent.SPAWN, 5, { argv, flags: CommandFlag.STDIN })
    const isOutput = (f: Frame) => f.id === 5 && f.type === FromAgent.DATA && f.payload[0] === Stream.STDOUT
    let sent = 0
    while (sent < WINDOW_BYTES) sent += (await link.nextWhere(isOutput)).payload.length - 1
    link.send(ToAgent.DATA, 5, Buffer.from('meanwhile\n'))
    assert.equal(await all(link, 5, Stream.STDERR), 'meanwhile\n')
    link.command(ToAgent.SPAWN, 6, { argv: ['true'] })
    assert.deepEqual(await exit(link, 6), [0, 0])
    assert.equal(sent, WINDOW_BYTES)
    assert.deepEqual(link.rest.filter(isOutput), [])
    link.send(ToAgent.CREDIT, 5, [Stream.STDOUT, ...u32(WINDOW_BYTES)])
    assert.equal((await all(link, 5, Stream.STDOUT)).length, 3_000_000 - WINDOW_BYTES)
  })

  it('takes a window of stdin that is not read, and not one byte more', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sleep', '1000'], flags: CommandFlag.STDIN })
    for (let i = 0; i < 16; i++) link.send(ToAgent.DATA, 5, new Uint8Array(MAX_PAYLOAD_BYTES))
    link.send(ToAgent.ASK, 1, [Fact.STATUS])
    await link.next(1, FromAgent.FACT)
    link.send(ToAgent.DATA, 5, [1])
    await once(link.socket, 'close')
    const again = await agent.link()
    again.link.send(ToAgent.SIGNAL, 5, [9])
    assert.deepEqual(await exit(again.link, 5), [137, 9])
  })

  it('grants more stdin as it is read', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['wc', '-c'], flags: CommandFlag.STDIN })
    let sent = 0
    for (
      let allowed = WINDOW_BYTES;
      sent < 3 * WINDOW_BYTES;
      allowed = number((await link.next(5, FromAgent.CREDIT)).payload)
    ) {
      for (let size: number; allowed > 0; allowed -= size, sent += size) {
        size = Math.min(allowed, MAX_PAYLOAD_BYTES)
        link.send(ToAgent.DATA, 5, new Uint8Array(size))
      }
    }
    link.send(ToAgent.EOF, 5)
    assert.equal(await all(link, 5, Stream.STDOUT), `${sent}\n`)
  })

  it("reaps orphans, which are not the app's", async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    link.command(ToAgent.SPAWN, 5, { argv: ['sh', '-c', '(sh -c "echo \\$\\$; exit 0" &) ; exit 0'] })
    const orphan = (await all(link, 5, Stream.STDOUT)).trim()
    await exit(link, 5)
    link.command(ToAgent.SPAWN, 6, { argv: ['sh', '-c', `while [ -e /proc/${orphan} ]; do :; done`] })
    assert.deepEqual(await exit(link, 6), [0, 0])
  })

  it('goes on after CLOSE, unheard', async () => {
    const { agent, link } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    const mark = `/tmp/moorage-${process.pid}-closed`
    link.command(ToAgent.SPAWN, 5, {
      argv: ['sh', '-c', `head -c 5000000 /dev/zero; cat > ${mark}`],
      flags: CommandFlag.STDIN,
    })
    await link.next(5, FromAgent.STARTED)
    link.send(ToAgent.DATA, 5, Buffer.from('kept'))
    link.send(ToAgent.CLOSE, 5)
    link.command(ToAgent.SPAWN, 6, {
      argv: ['sh', '-c', `until [ "$(cat ${mark} 2>/dev/null)" = kept ]; do :; done; rm ${mark}`],
    })
    assert.deepEqual(await exit(link, 6), [0, 0])
    assert.deepEqual(
      link.rest.filter((f) => f.id === 5 && f.type === FromAgent.EXIT),
      [],
    )
  })
})

describe('ASK', () => {
  it('answers with what the kernel says', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    const answers: string[] = []
    for (const fact of [Fact.STATUS, 77]) {
      link.send(ToAgent.ASK, fact, [fact])
      const { payload } = await link.next(fact, FromAgent.FACT)
      assert.equal(payload[0], fact)
      answers.push(Buffer.from(payload.subarray(1, 7)).toString().trim())
    }
    assert.deepEqual(answers, ['Name:', ''])
  })

  it('lists the sockets that listen as /proc/net/tcp would', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    const servers = await Promise.all(['127.0.0.1', '::1'].map(listening))
    const ports = servers.map((server) => (server.address() as AddressInfo).port)
    link.send(ToAgent.ASK, 5, [Fact.LISTENING])
    const text = Buffer.from((await link.next(5, FromAgent.FACT)).payload.subarray(1)).toString()
    for (const server of servers) server.close()
    const [four, six] = ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0'))
    assert.ok(text.includes(`0: 0100007F:${four} 0 0A\n`), text)
    assert.ok(text.includes(`0: 00000000000000000000000001000000:${six} 0 0A\n`), text)
  })
})

async function listening(host: string): Promise<Server> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  return server
}
