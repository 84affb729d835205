/** What is wrong, at the line where it is: of Dockerfiles and of the Worker's code. Gone as soon as it is mended. */
import { dirname, isAbsolute, join } from 'node:path'
import * as l10n from '@vscode/l10n'
import * as vscode from 'vscode'
import type { SessionModel } from '../../runtime/index.ts'
import type { MoorageWindow } from '../window.ts'

/** A problem of a file; lines and columns from 1. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Follows all sessions. */
export function showProblems(window: MoorageWindow): void {
  const shown = vscode.languages.createDiagnosticCollection('moorage')
  let before = ''
  const show = (): void => {
    const problems = window.folders.all.flatMap(({ model }) => (model === undefined ? [] : problemsOf(model)))
    const now = JSON.stringify(problems)
    if (now === before) return
    before = now
    shown.clear()
    for (const [file, list] of Map.groupBy(problems, (problem) => problem.file)) {
      shown.set(vscode.Uri.file(file), list.map(diagnostic))
    }
  }
  window.own(shown, window.folders.onDidChange(show))
}

function diagnostic({ line, column, message }: Problem): vscode.Diagnostic {
  const start = new vscode.Position(line - 1, column - 1)
  // To the end of the line, however long it is.
  const range = new vscode.Range(start, start.translate(0, 1000))
  const found = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error)
  found.source = 'Moorage'
  return found
}

/** The problems that a session has now. */
export function problemsOf({ classes, projects }: Pick<SessionModel, 'classes' | 'projects'>): readonly Problem[] {
  const images = classes.flatMap(({ className, image }) => {
    if (image.state !== 'failed' || image.file === undefined) return []
    const message = l10n.t('The image of {0} failed: {1}', className, image.message)
    return [{ file: image.file, line: image.line ?? 1, column: 1, message }]
  })
  const workers = projects.flatMap(({ config, worker }) =>
    worker.state === 'failed' ? placesIn(worker.message, dirname(config)) : [],
  )
  return [...images, ...workers]
}

/** `src/index.ts:4:3: Expected ";"`, a line each; indented lines below belong to it. */
function placesIn(text: string, folder: string): readonly Problem[] {
  return text.split('\n').flatMap((line) => {
    const [, path, row, column, message] = /^(\S.*?):(\d+):(\d+): (.+)$/.exec(line) ?? []
    if (path === undefined || message === undefined) return []
    const file = isAbsolute(path) ? path : join(folder, path)
    return [{ file, line: Math.max(1, Number(row)), column: Math.max(1, Number(column)), message }]
  })
}
