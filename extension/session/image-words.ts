/** Why an image failed, in words. No VS Code here. */
import * as l10n from '@vscode/l10n'
import type { ImageState } from '../../runtime/index.ts'
import { oneLine } from '../explorer/words.ts'

/** More of an instruction than this stands in the Dockerfile. */
const INSTRUCTION_LENGTH = 100

type Failed = Pick<ImageState & { state: 'failed' }, 'message' | 'file' | 'line' | 'instruction' | 'exitCode'>

/** A sentence without the place, which is told beside it. */
export function failureWords({ message, file, line, instruction, exitCode }: Failed): string {
  if (instruction !== undefined && exitCode !== undefined) {
    return l10n.t('"{0}" exited with {1}.', instructionWords(instruction), exitCode)
  }
  const place = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}: `
  return message.startsWith(place) ? message.slice(place.length) : message
}

/** What an instruction runs, in one line. */
export function instructionWords(instruction: string): string {
  return oneLine(instruction.replace(/^RUN\s+/i, ''), INSTRUCTION_LENGTH)
}
