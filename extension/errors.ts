/** Errors, as people read them. */
import type { MoorageError } from '../runtime/index.ts'

/** Whether it is one of Moorage's own. The runtime is another bundle, with another class of that name: hence not instanceof. */
export function isMoorageError(error: unknown): error is MoorageError {
  return error instanceof Error && error.name === 'MoorageError' && 'code' in error && 'advice' in error
}

/** What a person reads about an error: a sentence, and what to do. */
export function errorText(error: unknown): string {
  if (isMoorageError(error)) return [error.message, ...error.advice].join(' ')
  return error instanceof Error ? error.message : String(error)
}
