/** What a person has to hear of: one notification for each failure, with the next step as a button. */
import * as vscode from 'vscode'
import type { ObjectKey } from '../../runtime/index.ts'
import type { Target } from '../explorer/target.ts'
import { shortId } from '../explorer/words.ts'
import type { MoorageWindow } from '../window.ts'
import type { Folder, FolderState } from './folder.ts'
import type { FolderEvent } from './folders.ts'
import { failureWords } from './image-words.ts'

/** A container that fails again and again is told once in so many ms. */
const AGAIN_MS = 30_000

interface Button {
  readonly title: string
  readonly command: string
}

/** Follows all sessions. */
export function tellFailures(window: MoorageWindow): void {
  const told = new Map<ObjectKey, number>()
  const states = new Map<Folder, FolderState>()
  window.own(
    window.folders.onEvent(({ folder, event }: FolderEvent) => {
      const uri = folder.uri.toString()
      if (event.type === 'image' && event.image.state === 'failed') {
        void tellImage(event.className, failureWords(event.image), {
          kind: 'image-failure',
          folder: uri,
          className: event.className,
        })
      }
      if (event.type === 'container' && event.container.state === 'failed') {
        if (event.at - (told.get(event.object) ?? 0) < AGAIN_MS) return
        told.set(event.object, event.at)
        void tellContainer(folder, event.object, event.container.end.message)
      }
    }),
    window.folders.onDidChange(() => {
      for (const folder of window.folders.all) {
        const { state } = folder
        const before = states.get(folder)
        states.set(folder, state)
        // A session that was running and cannot go on; a start that fails is told by who started it.
        if (state.state === 'failed' && before?.state === 'running') void window.tellError(state.error)
      }
    }),
  )
}

async function tellImage(className: string, message: string, target: Target): Promise<void> {
  await offer(vscode.l10n.t('Image for {0} failed: {1}', className, message), target, [
    { title: vscode.l10n.t('Go to Line'), command: 'moorage.goToFailure' },
    { title: vscode.l10n.t('Open Log'), command: 'moorage.showBuild' },
    { title: vscode.l10n.t('Rebuild'), command: 'moorage.rebuildImage' },
  ])
}

async function tellContainer(folder: Folder, object: ObjectKey, message: string): Promise<void> {
  const model = folder.object(object)
  const name = model?.name ?? shortId(model?.id ?? object)
  await offer(`${name}: ${message}`, { kind: 'object', folder: folder.uri.toString(), object }, [
    { title: vscode.l10n.t('Why?'), command: 'moorage.why' },
    { title: vscode.l10n.t('Show Logs'), command: 'moorage.showLogs' },
  ])
}

async function offer(text: string, target: Target, buttons: readonly Button[]): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(text, ...buttons)
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command, target)
}
