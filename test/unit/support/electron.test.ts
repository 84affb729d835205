import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { root } from '../../support/root.mjs'
import { desktopVSCode, launchArguments, needsPage } from '../../support/tools/electron.mjs'

const linux = { platform: 'linux', env: { DISPLAY: ':0', XDG_CACHE_HOME: '/cache' }, isRoot: false } as const
const never = (): Promise<string> => Promise.reject(new Error('It was downloaded.'))
const offline = (): Promise<string> => Promise.reject(new Error('getaddrinfo ENOTFOUND'))

describe('a desktop VS Code for tests', () => {
  it('is the one that VSCODE_PATH names', async () => {
    const env = { ...linux.env, VSCODE_PATH: process.execPath }
    assert.equal(await desktopVSCode(never, { ...linux, env }), process.execPath)
  })
  it('is missed where VSCODE_PATH names nothing', async () => {
    const env = { ...linux.env, VSCODE_PATH: '/no/code' }
    await assert.rejects(desktopVSCode(never, { ...linux, env }), {
      message: 'VSCODE_PATH names /no/code, which is not there.',
    })
  })
  it('is downloaded into the cache otherwise', async () => {
    assert.equal(await desktopVSCode(async (folder) => `${folder}/code`, linux), '/cache/moorage/vscode-desktop/code')
  })
  it('says in a sentence that it cannot be downloaded, and what to do', async () => {
    await assert.rejects(desktopVSCode(offline, linux), {
      name: 'Missing',
      message:
        'No desktop VS Code could be downloaded (getaddrinfo ENOTFOUND). Name the executable of one in VSCODE_PATH. The same suites run in a VS Code server with: npm run test:vscode',
    })
  })
  it('needs a screen, and is not downloaded without', async () => {
    await assert.rejects(
      desktopVSCode(never, { ...linux, env: {} }),
      /^Missing: A desktop VS Code needs a screen: set DISPLAY/,
    )
  })
  it('runs without its sandbox for root only', () => {
    const options = { folder: '/p', data: '/d' }
    assert.equal(launchArguments({ ...options, isRoot: true }).includes('--no-sandbox'), true)
    assert.equal(launchArguments({ ...options, isRoot: false }).includes('--no-sandbox'), false)
    assert.equal(launchArguments({ ...options, isRoot: false })[0], '/p')
  })
})

describe('a suite', () => {
  const suite = (name: string) => readFile(join(root, 'test/vscode', name), 'utf8')
  it('needs a page where it asks for something in the window', async () => {
    assert.equal(needsPage(await suite('objects.suite.ts')), true)
  })
  it('needs none where it uses only the API', async () => assert.equal(needsPage(await suite('api.suite.ts')), false))
})
