/** Image builds as notifications: the step, a link to the log, cancel. */
import * as vscode from 'vscode'
import type { ClassModel, ImageState } from '../../runtime/index.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { Folder } from './folder.ts'

/** A build that takes less than this, in ms, says nothing: an image that is there already. */
const QUIET_MS = 700

interface Build {
  /** Tells the notification; none before it is shown. */
  tell: (image: ImageState & { state: 'preparing' }) => void
  readonly end: () => void
}

/** Follows the images of all sessions. */
export function showBuilds(window: MoorageWindow): void {
  const builds = new Map<string, Build>()
  const look = (): void => {
    const seen = new Set<string>()
    for (const folder of window.folders.all) {
      for (const one of folder.model?.classes ?? []) {
        if (one.image.state !== 'preparing') continue
        const key = `${folder.uri} ${one.className}`
        seen.add(key)
        const build = builds.get(key) ?? open(folder, one)
        builds.set(key, build)
        build.tell(one.image)
      }
    }
    for (const [key, build] of builds) {
      if (seen.has(key)) continue
      builds.delete(key)
      build.end()
    }
  }
  window.own(
    window.folders.onDidChange(look),
    new vscode.Disposable(() => {
      for (const build of builds.values()) build.end()
    }),
  )
}

function open(folder: Folder, { className }: ClassModel): Build {
  const ended = Promise.withResolvers<void>()
  let last: (ImageState & { state: 'preparing' }) | undefined
  const build: Build = {
    tell: (image) => (last = image),
    end: () => {
      clearTimeout(waiting)
      ended.resolve()
    },
  }
  const target: Target = { kind: 'class', folder: folder.uri.toString(), className }
  const log = `[${vscode.l10n.t('Log')}](command:moorage.showBuild?${encodeURIComponent(JSON.stringify([target]))})`
  const waiting = setTimeout(() => {
    const title = vscode.l10n.t('Image for {0}', className)
    const location = vscode.ProgressLocation.Notification
    void vscode.window.withProgress({ location, title, cancellable: true }, async (progress, cancelled) => {
      let done = 0
      build.tell = ({ step, steps, text }) => {
        const part = step === undefined || steps === undefined ? undefined : (100 * (step - 1)) / steps
        const increment = part === undefined ? 0 : Math.max(0, part - done)
        done += increment
        const far = step === undefined || steps === undefined ? '' : `${step}/${steps} `
        progress.report({ message: `${far}${text} (${log})`, increment })
      }
      if (last !== undefined) build.tell(last)
      cancelled.onCancellationRequested(() => void folder.session?.cancelBuild(className))
      await ended.promise
    })
  }, QUIET_MS)
  return build
}
