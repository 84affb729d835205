/** What is wrong, as diagnostics: of Dockerfiles and of the Worker's code. Gone as soon as it is mended. */
import * as vscode from 'vscode'
import type { MoorageWindow } from '../window.ts'
import { type Problem, problemsOf } from './problem-places.ts'

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
