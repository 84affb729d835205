/** The parser's thread: TypeScript is large, and the extension host waits for nothing. */
import { parentPort } from 'node:worker_threads'
import type { ParseAnswer, ParseRequest } from '../found.ts'
import { find } from './find.ts'

parentPort?.on('message', ({ id, file, text }: ParseRequest) => {
  parentPort?.postMessage(answer(id, file, text))
})

function answer(id: number, file: string, text: string): ParseAnswer {
  try {
    return { id, found: find(file, text) }
  } catch (error) {
    return { id, error: String(error) }
  }
}
