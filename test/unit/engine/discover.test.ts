import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { type FindOptions, findEngine } from '../../../runtime/engine/discover.ts'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { STRATEGIES, type Surroundings } from '../../../runtime/engine/strategies.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'

const missing = (code: string) => Object.assign(new Error(code), { code })

/** A machine with these files and nothing else. */
function machine(options: Partial<Surroundings> & { files?: Record<string, string> } = {}): Surroundings {
  const { files = {}, ...rest } = options
  return {
    platform: 'linux',
    env: {},
    home: '/home/me',
    uid: 1000,
    read: async (file) => files[file] ?? Promise.reject(missing('ENOENT')),
    ...rest,
  }
}

/** Where each strategy would look on a machine, as `name: address`. */
async function places(around: Surroundings): Promise<string[]> {
  const found: string[] = []
  for (const strategy of STRATEGIES) {
    const where = await strategy.locate(around)
    if (where) found.push(`${strategy.name}: ${'socketPath' in where ? where.socketPath : JSON.stringify(where)}`)
  }
  return found
}

function context(name: string, endpoint: object, tls: Record<string, string> = {}): Record<string, string> {
  const id = createHash('sha256').update(name).digest('hex')
  const folder = '/home/me/.docker/contexts'
  const meta = JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } })
  const files = Object.entries(tls).map(([file, text]) => [`${folder}/tls/${id}/docker/${file}`, text])
  return { [`${folder}/meta/${id}/meta.json`]: meta, ...Object.fromEntries(files) }
}

const locate = (name: string, around: Surroundings) => STRATEGIES.find((one) => one.name === name)!.locate(around)

describe('the strategies', () => {
  it('know the sockets of Linux', async () => {
    assert.deepEqual(await places(machine({ env: { XDG_RUNTIME_DIR: '/run/user/1000' } })), [
      'Docker: /var/run/docker.sock',
      'Docker Desktop: /home/me/.docker/desktop/docker.sock',
      'Colima: /home/me/.colima/default/docker.sock',
      'Colima: /home/me/.config/colima/default/docker.sock',
      'Rancher Desktop: /home/me/.rd/docker.sock',
      'rootless Docker: /run/user/1000/docker.sock',
      'rootless Docker: /home/me/.docker/run/docker.sock',
      'rootless Podman: /run/user/1000/podman/podman.sock',
      'Podman: /run/podman/podman.sock',
      'Podman machine: /home/me/.local/share/containers/podman/machine/podman.sock',
    ])
  })

  it('know the sockets of macOS', async () => {
    assert.deepEqual(await places(machine({ platform: 'darwin', home: '/Users/me', env: { TMPDIR: '/tmp/x' } })), [
      'Docker: /var/run/docker.sock',
      'Docker Desktop: /Users/me/.docker/run/docker.sock',
      'OrbStack: /Users/me/.orbstack/run/docker.sock',
      'Colima: /Users/me/.colima/default/docker.sock',
      'Colima: /Users/me/.config/colima/default/docker.sock',
      'Rancher Desktop: /Users/me/.rd/docker.sock',
      'Podman machine: /Users/me/.local/share/containers/podman/machine/podman.sock',
      'Podman machine: /Users/me/.local/share/containers/podman/machine/qemu/podman.sock',
      'Podman machine: /tmp/x/podman/podman-machine-default-api.sock',
    ])
  })

  it('know the pipes of Windows', async () => {
    assert.deepEqual(await places(machine({ platform: 'win32', home: 'C:\\Users\\me', uid: undefined })), [
      'Docker: //./pipe/docker_engine',
      'Docker Desktop: //./pipe/dockerDesktopLinuxEngine',
      'Podman machine: //./pipe/podman-machine-default',
    ])
  })

  it('honour COLIMA_HOME and XDG_CONFIG_HOME', async () => {
    const found = await places(machine({ env: { COLIMA_HOME: '/c', XDG_CONFIG_HOME: '/x' } }))
    assert.deepEqual(
      found.filter((place) => place.startsWith('Colima')),
      ['Colima: /c/default/docker.sock', 'Colima: /x/colima/default/docker.sock'],
    )
  })
})

describe('DOCKER_HOST', () => {
  it('is read as the docker command reads it', async () => {
    assert.deepEqual(await locate('DOCKER_HOST', machine({ env: { DOCKER_HOST: 'ssh://me@far' } })), {
      protocol: 'ssh',
      host: 'far',
      username: 'me',
    })
  })

  it('with DOCKER_TLS_VERIFY means TLS with the certificates of DOCKER_CERT_PATH', async () => {
    const env = { DOCKER_HOST: 'tcp://far:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }
    const files = { '/certs/ca.pem': 'CA', '/certs/cert.pem': 'CERT', '/certs/key.pem': 'KEY' }
    assert.deepEqual(await locate('DOCKER_HOST', machine({ env, files })), {
      protocol: 'https',
      host: 'far',
      port: 2376,
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
    })
    await assert.rejects(locate('DOCKER_HOST', machine({ env })), /DOCKER_TLS_VERIFY is set, and \/certs has no ca.pem/)
  })

  it('with certificates but without DOCKER_TLS_VERIFY accepts any certificate', async () => {
    const env = { DOCKER_HOST: 'tcp://far:2376', DOCKER_CERT_PATH: '/certs' }
    const where = await locate('DOCKER_HOST', machine({ env, files: { '/certs/ca.pem': 'CA' } }))
    assert.deepEqual(where, { protocol: 'https', host: 'far', port: 2376, ca: 'CA', insecure: true })
  })
})

describe('a docker context', () => {
  const files = {
    '/home/me/.docker/config.json': JSON.stringify({ auths: {}, currentContext: 'colima' }),
    ...context('colima', { Host: 'unix:///home/me/.colima/default/docker.sock', SkipTLSVerify: false }),
    ...context('far', { Host: 'tcp://far:2376' }, { 'ca.pem': 'CA', 'cert.pem': 'CERT', 'key.pem': 'KEY' }),
    ...context('empty', {}),
  }

  it('is the current one of config.json', async () => {
    const where = await locate('the current docker context', machine({ files }))
    assert.deepEqual(where, { socketPath: '/home/me/.colima/default/docker.sock' })
  })

  it('is the one that DOCKER_CONTEXT names, with its certificates', async () => {
    const around = machine({ files, env: { DOCKER_CONTEXT: 'far' } })
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY' }
    assert.deepEqual(await locate('DOCKER_CONTEXT', around), { protocol: 'https', host: 'far', port: 2376, ...tls })
    assert.equal(await locate('the current docker context', around), undefined)
  })

  it('called default is none', async () => {
    const around = machine({ files, env: { DOCKER_CONTEXT: 'default' } })
    assert.equal(await locate('DOCKER_CONTEXT', around), undefined)
    assert.equal(await locate('the current docker context', around), undefined)
    const plain = { '/home/me/.docker/config.json': JSON.stringify({ currentContext: 'default' }) }
    assert.equal(await locate('the current docker context', machine({ files: plain })), undefined)
    assert.equal(await locate('the current docker context', machine()), undefined)
  })

  it('that is not there, or names nothing, is an error', async () => {
    const named = (name: string) => locate('DOCKER_CONTEXT', machine({ files, env: { DOCKER_CONTEXT: name } }))
    await assert.rejects(named('lost'), /there is no docker context "lost"/)
    await assert.rejects(named('empty'), /the docker context "empty" names no engine/)
  })

  it('is looked for where DOCKER_CONFIG says', async () => {
    const elsewhere = { '/cfg/config.json': JSON.stringify({ currentContext: 'lost' }) }
    const around = machine({ files: elsewhere, env: { DOCKER_CONFIG: '/cfg' } })
    await assert.rejects(locate('the current docker context', around), /no docker context "lost" in \/cfg/)
  })
})

describe('findEngine', () => {
  /** Finds with engines that answer at `up`, and fail with a code elsewhere. */
  async function find(options: FindOptions & { up?: string[]; codes?: Record<string, string>; programs?: string[] }) {
    const { up = [], codes = {}, programs = [], ...rest } = options
    const tried: string[] = []
    const connect = async (address: Record<string, unknown>, more: { strategy?: string } = {}) => {
      const at = String(address.socketPath ?? address.host)
      tried.push(at)
      if (up.includes(at)) return { name: at, strategy: more.strategy } as unknown as Engine
      const code = codes[at] ?? 'ENOENT'
      if (code === 'EACCES') throw new MoorageError('engine-error', 'no', { detail: { problem: 'permission', code } })
      throw new MoorageError('engine-lost', 'no', { detail: { problem: 'lost', code } })
    }
    const found = await findEngine({
      ...machine(),
      ...rest,
      connect: connect as unknown as typeof Engine.connect,
      installed: async (program) => programs.includes(program),
    }).catch((error) => error)
    return { found, tried }
  }

  it('takes the first that answers and says how it was found', async () => {
    const { found, tried } = await find({ up: ['/home/me/.rd/docker.sock'] })
    assert.equal(found.strategy, 'Rancher Desktop')
    assert.equal(tried.at(0), '/var/run/docker.sock')
    assert.equal(tried.at(-1), '/home/me/.rd/docker.sock')
  })

  it('takes the engine that the user chose, and no other when it does not answer', async () => {
    const { found, tried } = await find({ env: { DOCKER_HOST: 'tcp://far:2375' }, up: ['/var/run/docker.sock'] })
    assert.deepEqual(tried, ['far'])
    assert.equal(found.code, 'no-engine')
    assert.match(found.message, /DOCKER_HOST \(tcp:\/\/far:2375\)/)
    assert.match(found.advice[0], /unset or correct DOCKER_HOST/)
  })

  it('prefers an address that is given', async () => {
    const { found } = await find({ address: 'unix:///mine', env: { DOCKER_HOST: 'tcp://far:2375' }, up: ['/mine'] })
    assert.equal(found.strategy, 'the address given')
  })

  it('does not hide a choice that cannot be read', async () => {
    const { found, tried } = await find({ env: { DOCKER_CONTEXT: 'lost' }, up: ['/var/run/docker.sock'] })
    assert.deepEqual(tried, [])
    assert.match(found.message, /DOCKER_CONTEXT: there is no docker context "lost"/)
  })

  it('says all that was tried, each with its reason', async () => {
    const { found } = await find({ codes: { '/var/run/docker.sock': 'ECONNREFUSED' } })
    assert.ok(found instanceof MoorageError)
    assert.equal(found.code, 'no-engine')
    const lines = found.message.split('\n')
    assert.equal(lines[0], 'No container engine was found. Tried:')
    assert.equal(lines[1], '  Docker (/var/run/docker.sock): nothing listens there')
    assert.equal(lines[2], '  Docker Desktop (/home/me/.docker/desktop/docker.sock): is not there')
    assert.equal(lines.length, 11)
  })

  const advice: [string, Parameters<typeof find>[0], RegExp][] = [
    ['the group, where the socket is closed', { codes: { '/var/run/docker.sock': 'EACCES' } }, /usermod -aG docker/],
    [
      'to start what is installed',
      { programs: ['docker', 'dockerd'] },
      /installed and not running.*systemctl start docker/,
    ],
    ['to start Podman', { programs: ['podman'] }, /podman.socket/],
    ['to start Docker Desktop', { programs: ['docker'], platform: 'darwin' }, /Start Docker Desktop/],
    ['to install one', {}, /apt-get install docker.io/],
    ['to install one on Windows', { platform: 'win32' }, /Docker Desktop/],
  ]
  for (const [what, options, words] of advice) {
    it(`advises ${what}`, async () => assert.match((await find(options)).found.advice[0], words))
  }

  it('ends when it is aborted', async () => {
    const { found } = await find({ signal: AbortSignal.abort(new Error('enough')) })
    assert.equal(found.message, 'enough')
  })
})
