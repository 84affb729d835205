import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Engine } from '../../../runtime/engine/engine.ts'
import { sshArguments } from '../../../runtime/engine/ssh.ts'
import type { ContainerId } from '../../../runtime/protocol/model.ts'
import { standIn } from './stand-in.ts'

describe('sshArguments', () => {
  it('are those of the docker command', () => {
    const line = sshArguments({ protocol: 'ssh', host: 'far', username: 'me', port: 2222 }).join(' ')
    assert.equal(line, '-T -o BatchMode=yes -o ConnectTimeout=30 -l me -p 2222 -- far docker system dial-stdio')
  })

  it('name a socket on the far side', () => {
    const line = sshArguments({ protocol: 'ssh', host: 'far', socketPath: '/run/x.sock' }).join(' ')
    assert.match(line, /-- far docker --host unix:\/\/\/run\/x\.sock system dial-stdio$/)
  })

  it('cannot be taken for options', () => {
    assert.ok(sshArguments({ protocol: 'ssh', host: '-oProxyCommand=x' }).indexOf('--') >= 0)
  })
})

/** A program in the place of ssh. */
async function fakeSsh(script: string) {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-ssh-'))
  const file = join(folder, 'ssh')
  await writeFile(file, `#!${process.execPath}\n${script}`)
  await chmod(file, 0o755)
  return { file, folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

describe('an engine behind SSH', { skip: process.platform === 'win32' }, () => {
  it('is called over the stdin and stdout of ssh, which ends with it', async () => {
    await using engine = await standIn(
      (request, response) => {
        request.resume()
        request.on('end', () => response.end('[]'))
      },
      (_, socket) => {
        socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
        socket.write(Buffer.from('\x01\0\0\0\0\0\0\x02hi', 'latin1'))
      },
    )
    await using ssh = await fakeSsh(`
      const fs = require('node:fs'), net = require('node:net'), path = require('node:path')
      fs.appendFileSync(path.join(path.dirname(__filename), 'pids'), process.pid + '\\n')
      const socket = net.connect(${JSON.stringify(engine.address.socketPath)})
      process.stdin.pipe(socket).pipe(process.stdout)
      socket.on('close', () => process.exit(0))`)
    const client = await Engine.connect({ protocol: 'ssh', host: 'far' }, { ssh: ssh.file })
    assert.deepEqual(await client.listContainers([]), [])
    assert.deepEqual(await client.listContainers([]), [])
    const said = Promise.withResolvers<string>()
    const attachment = await client.attach('abc' as ContainerId, (_, bytes) => said.resolve(bytes.toString()))
    assert.equal(await said.promise, 'hi')
    attachment.dispose()
    await attachment.closed
    client.close()
    // Two connections, as an attach takes one for itself; no process stays.
    const pids = (await readFile(join(ssh.folder, 'pids'), 'utf8')).trim().split('\n').map(Number)
    assert.ok(pids.length <= 2)
    for (const pid of pids) while (alive(pid)) await new Promise((resolve) => setImmediate(resolve))
  })

  it('is lost with the words of ssh', async () => {
    await using ssh = await fakeSsh('console.error("me@far: Permission denied (publickey)."); process.exit(255)')
    await assert.rejects(Engine.connect({ protocol: 'ssh', host: 'far' }, { ssh: ssh.file }), (error: Error) => {
      assert.match((error.cause as Error).message, /Permission denied \(publickey\)/)
      return true
    })
  })
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
