import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isYes, offered } from '../../support/demo/offer.mjs'
import { pageUrl } from '../../support/demo/server.ts'
import { desktopCode } from '../../support/tools/desktop.mjs'

describe('the demo offers VS Code', () => {
  it('asks a person', () => assert.equal(offered([], true), 'ask'))
  it('asks nobody where there is no terminal', () => assert.equal(offered([], false), 'leave'))
  it('opens it for --vscode, with or without a terminal', () => {
    assert.deepEqual([offered(['--vscode'], true), offered(['--vscode'], false)], ['open', 'open'])
  })
  it('neither asks nor opens for --no-vscode', () => assert.equal(offered(['--no-vscode'], true), 'leave'))
  it('says what it knows', () => {
    assert.throws(() => offered(['--code'], true), /knows --vscode and --no-vscode, not --code/)
  })
  it('takes only yes for a yes', () => {
    assert.deepEqual(['y', ' Yes ', '', 'n', 'yo'].map(isYes), [true, true, false, false, false])
  })
})

describe('a desktop VS Code', () => {
  const look = (name: string) => `/usr/bin/${name}`
  const linux = { platform: 'linux', env: { DISPLAY: ':0' }, isRoot: false } as const
  it('is the command code where there is one', () => {
    assert.equal(desktopCode(linux, look), '/usr/bin/code')
    assert.equal(
      desktopCode(linux, () => undefined),
      undefined,
    )
  })
  it('opens no window without a screen', () => assert.equal(desktopCode({ ...linux, env: {} }, look), undefined))
  it('does not start for root on Linux', () => assert.equal(desktopCode({ ...linux, isRoot: true }, look), undefined))
  it('is code.cmd on Windows', () => {
    assert.equal(desktopCode({ platform: 'win32', env: {}, isRoot: false }, look), '/usr/bin/code.cmd')
  })
})

describe('the page of the browser build', () => {
  it('has the token, the folder and the extension in its address', () => {
    const url = new URL(pageUrl({ port: 4000, token: 'secret', extension: '/moorage', open: '/tmp/quotes' }))
    assert.equal(url.origin, 'http://127.0.0.1:4000')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      tkn: 'secret',
      folder: '/tmp/quotes',
      payload: '[["extensionDevelopmentPath","vscode-remote://127.0.0.1:4000/moorage"]]',
    })
  })
})
