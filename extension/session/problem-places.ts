/** What is wrong in a session, at the line where it is. No VS Code here. */
import { dirname, isAbsolute, join } from 'node:path'
import * as l10n from '@vscode/l10n'
import type { SessionModel } from '../../runtime/index.ts'
import { failureWords } from './image-words.ts'

/** A problem of a file; lines and columns from 1. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** The problems that a session has now. */
export function problemsOf({ classes, projects }: Pick<SessionModel, 'classes' | 'projects'>): readonly Problem[] {
  const images = classes.flatMap(({ className, image }) => {
    if (image.state !== 'failed' || image.file === undefined) return []
    const message = l10n.t('The image of {0} failed: {1}', className, failureWords(image))
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
