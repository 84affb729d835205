/** What builds of images print: kept for each class, shown on demand. */
import * as vscode from 'vscode'
import type { ClassModel, ImageState } from '../../runtime/index.ts'
import type { Chooser } from '../actions/chosen.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import { failureWords } from '../session/image-words.ts'
import type { MoorageWindow } from '../window.ts'
import { harmless } from './log-lines.ts'
import type { OurTerminals } from './ours.ts'

/** Of a build so much is kept, in characters. */
const KEPT_CHARS = 1_000_000

/** The output of one class's builds: the last one, as it goes. */
class BuildLog {
  readonly #written = new vscode.EventEmitter<string>()
  #text = ''
  terminal: vscode.Terminal | undefined

  add(text: string): void {
    const shown = text
      .split('\n')
      .map((line) => harmless(line))
      .join('\r\n')
    this.#text = (this.#text + shown).slice(-KEPT_CHARS)
    this.#written.fire(shown)
  }

  begin(): void {
    this.#text = ''
    this.#written.fire('\x1b[2J\x1b[3J\x1b[H')
  }

  /** A terminal that shows it from its beginning. */
  pty(): vscode.Pseudoterminal {
    return {
      onDidWrite: this.#written.event,
      open: () => this.#written.fire(this.#text),
      close: () => {
        this.terminal = undefined
      },
    }
  }
}

/** `Image for Sandbox  ./Dockerfile, instance type basic` */
function head(className: string, one: ClassModel | undefined): string {
  const file = one?.dockerfile === undefined ? undefined : relative(one.dockerfile)
  const type = one === undefined ? undefined : vscode.l10n.t('instance type {0}', one.instanceType)
  const facts = [file, type].filter((fact) => fact !== undefined).join(', ')
  return `\x1b[1m${vscode.l10n.t('Image for {0}', className)}\x1b[0m  \x1b[2m${facts}\x1b[0m`
}

/** ` Dockerfile:8: "npm ci" exited with 1. Running objects keep the previous image.` */
function failure(image: ImageState & { readonly state: 'failed' }): string {
  const { file, line, previous } = image
  const place = file === undefined ? '' : ` ${relative(file)}${line === undefined ? '' : `:${line}`}`
  const kept = previous === undefined ? '' : ` ${vscode.l10n.t('Running objects keep the previous image.')}`
  return `${place}: ${harmless(failureWords(image))}${kept}`
}

function relative(file: string): string {
  return vscode.workspace.asRelativePath(file, false)
}

/** @param window owns all that is registered */
export function buildCommands(window: MoorageWindow, choose: Chooser, ours: OurTerminals): void {
  const logs = new Map<string, BuildLog>()
  const logOf = (folder: string, className: string): BuildLog => {
    const key = `${folder} ${className}`
    const log = logs.get(key) ?? new BuildLog()
    logs.set(key, log)
    return log
  }
  const preparing = new Set<string>()
  window.own(
    window.folders.onEvent(({ folder, event, model }) => {
      if (event.type !== 'image' && event.type !== 'image-output') return
      const uri = folder.uri.toString()
      const log = logOf(uri, event.className)
      if (event.type === 'image-output') return log.add(`${event.text}\n`)
      const { image } = event
      const key = `${uri} ${event.className}`
      // An image that is there already, or cannot even be begun with, is ready or failed at once.
      if (!preparing.has(key)) {
        preparing.add(key)
        log.begin()
        const one = model.classes.find(({ className }) => className === event.className)
        log.add(`${head(event.className, one)}\n\n`)
      }
      if (image.state === 'preparing') return
      preparing.delete(key)
      if (image.state === 'ready') {
        log.add(`\n\x1b[32m${vscode.l10n.t('Ready')}\x1b[0m ${image.image} · ${(image.tookMs / 1000).toFixed(2)} s\n`)
      } else if (image.state === 'failed') {
        log.add(`\n\x1b[31m${vscode.l10n.t('Failed')}\x1b[0m${failure(image)}\n`)
      }
    }),
  )
  window.command('moorage.showBuild', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const { className } = chosen.one
    const log = logOf(chosen.folder.uri.toString(), className)
    log.terminal ??= vscode.window.createTerminal({
      name: `${className}: ${vscode.l10n.t('build')}`,
      pty: log.pty(),
      iconPath: new vscode.ThemeIcon('package'),
    })
    ours.add(log.terminal, { kind: 'build' })
    log.terminal.show()
  })
}
