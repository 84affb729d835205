// `npm run screenshots`: puts pictures that `npm run test:vscode` has made where README and walkthrough show them.
import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from '../root.mjs'
import { find } from '../tools/command.mjs'
import { ensureModules } from '../tools/npm.mjs'
import { Missing, say } from '../tools/say.mjs'

/** Where the tests put them. */
const FROM = '.cache/screenshots'

/**
 * Their names there and here. A part of one is `[x, y, width, height]` in px.
 * @type {readonly { from: string, to: string, part?: readonly [number, number, number, number] }[]}
 */
const PICTURES = [
  { from: 'shell-dark', to: 'extension/media/screenshots/shell.png' },
  { from: 'why-dark', to: 'extension/media/screenshots/why.png' },
  { from: 'lenses-dark', to: 'extension/media/screenshots/lenses.png' },
  { from: 'logs-over-restart-dark', to: 'extension/media/screenshots/logs.png' },
  { from: 'build-failed-notification-dark', to: 'extension/media/screenshots/build-failed.png' },
  { from: 'before-start-dark', to: 'extension/media/walkthrough/start.png', part: [48, 36, 299, 220] },
  { from: 'shell-dark', to: 'extension/media/walkthrough/look.png', part: [48, 36, 356, 240] },
  { from: 'shell-dark', to: 'extension/media/walkthrough/shell.png', part: [404, 572, 560, 196] },
]

/**
 * @param {readonly string[]} words parts of names; none: all
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether each was there
 */
export async function work(words, signal) {
  await ensureModules(signal)
  let missing = 0
  for (const { from, to, part } of PICTURES) {
    if (words.length > 0 && !words.some((word) => to.includes(word))) continue
    const source = join(root, FROM, `${from}.png`)
    if ((await stat(source).catch(() => undefined)) === undefined) {
      say(`${FROM}/${from}.png is not there; npm run test:vscode makes it.`)
      missing++
      continue
    }
    await mkdir(dirname(join(root, to)), { recursive: true })
    if (part === undefined) await copyFile(source, join(root, to))
    else await cut(source, join(root, to), part)
    say(`${to}: ${Math.round((await stat(join(root, to))).size / 1000)} kB`)
  }
  return missing === 0
}

/** Saves a part of a picture. @param {string} from @param {string} to @param {readonly [number, number, number, number]} part */
async function cut(from, to, [x, y, width, height]) {
  const { chromium } = await import('playwright-core')
  const executablePath = find('chromium')
  if (executablePath === undefined) throw new Missing('There is no chromium here.')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    const data = (await readFile(from)).toString('base64')
    await page.setContent(`<body style="margin:0"><img style="display:block" src="data:image/png;base64,${data}">`)
    await page.screenshot({ path: to, clip: { x, y, width, height } })
  } finally {
    await browser.close()
  }
}
