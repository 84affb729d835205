/** A window of VS Code: the workbench in a browser, with our extension under development. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { root } from '../../support/root.mjs'
import { find } from '../../support/tools/command.mjs'

/** Where pictures go. */
export const PICTURES = join(root, '.cache', 'screenshots')

/** What a page is asked for is there within this time, in ms. */
const TIMEOUT_MS = 15_000

/** Nothing of the browser's own reaches out. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface Window extends AsyncDisposable {
  readonly page: Page
  /** Saves what the window shows as `.cache/screenshots/<name>.png`. */
  picture(name: string): Promise<void>
}

/**
 * Opens a folder, or a `.code-workspace` file, and runs a suite in the extension host.
 * @param options.suite the built suite, absolute; its `run()` is called once the extension host is up; undefined: nothing
 */
export async function openWindow(options: {
  readonly port: number
  readonly folder: string
  readonly suite: string | undefined
}): Promise<Window> {
  const remote = `vscode-remote://127.0.0.1:${options.port}`
  const payload = [
    ['extensionDevelopmentPath', `${remote}${root}`],
    ...(options.suite === undefined ? [] : [['extensionTestsPath', `${remote}${options.suite}`]]),
  ]
  const kind = options.folder.endsWith('.code-workspace') ? 'workspace' : 'folder'
  const query = new URLSearchParams({ [kind]: options.folder, payload: JSON.stringify(payload) })
  const browser = await launch()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(TIMEOUT_MS)
    await page.goto(`http://127.0.0.1:${options.port}/?${query}`)
    await page.waitForSelector('.monaco-workbench')
    return {
      page,
      async picture(name) {
        await mkdir(PICTURES, { recursive: true })
        await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })
      },
      [Symbol.asyncDispose]: () => browser.close(),
    }
  } catch (error) {
    await browser.close()
    throw error
  }
}

function launch(): Promise<Browser> {
  const executablePath = find('chromium')
  if (executablePath === undefined) throw new Error('There is no chromium here.')
  const fonts = join(root, 'test/vscode/rig/fonts.conf')
  return chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, FONTCONFIG_FILE: fonts } })
}
