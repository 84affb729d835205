// A desktop VS Code for the suites that run in its extension host.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache.mjs'
import { hasDisplay, thisMachine } from './desktop.mjs'
import { Missing } from './say.mjs'

/** What is said besides, whatever is missing. */
const INSTEAD = 'The same suites run in a VS Code server with: npm run test:vscode'

/**
 * The executable of a desktop VS Code: what VSCODE_PATH names, else one that is downloaded.
 * @param {(folder: string) => Promise<string>} download gives the executable's path; keeps what it has fetched in a folder
 * @param {import('./desktop.mjs').Machine} [machine]
 * @returns {Promise<string>}
 * @throws Missing that says in a sentence why there is none
 */
export async function desktopVSCode(download, machine = thisMachine()) {
  if (!hasDisplay(machine)) {
    throw new Missing(`A desktop VS Code needs a screen: set DISPLAY, or run this under xvfb-run -a. ${INSTEAD}`)
  }
  const path = machine.env.VSCODE_PATH
  if (path !== undefined && path !== '') {
    if (existsSync(path)) return path
    throw new Missing(`VSCODE_PATH names ${path}, which is not there.`)
  }
  try {
    return await download(join(cacheFolder(machine), 'vscode-desktop'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Missing(
      `No desktop VS Code could be downloaded (${reason}). Name the executable of one in VSCODE_PATH. ${INSTEAD}`,
    )
  }
}

/**
 * What it is started with, besides what @vscode/test-electron adds.
 * @param {object} options
 * @param {string} options.folder what it opens
 * @param {string} options.data where its settings and all else of it lies
 * @param {boolean} options.isRoot the sandbox of Chromium does not start for root
 */
export function launchArguments({ folder, data, isRoot }) {
  return [
    folder,
    '--user-data-dir',
    data,
    '--extensions-dir',
    join(data, 'extensions'),
    '--disable-workspace-trust',
    '--disable-telemetry',
    ...(isRoot ? ['--no-sandbox'] : []),
  ]
}

/** Whether a suite asks for something in the window around it, which only a browser's page can be asked. @param {string} source */
export function needsPage(source) {
  return /import\s*\{[^}]*\bask\b[^}]*\}\s*from\s*'[^']*rig\/driver\.ts'/.test(source)
}
