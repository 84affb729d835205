/** What an isolate sends, checked where it enters. */
import { z } from 'zod'
import type { Ahead, Call, Note } from '../protocol/worker.ts'

const strings = z.record(z.string(), z.string())

const startOptions = z.object({
  entrypoint: z.array(z.string()).optional(),
  env: strings.optional(),
  enableInternet: z.boolean().optional(),
  labels: strings.optional(),
  image: z.string().optional(),
  instance: z
    .union([
      z.string(),
      z.object({ vcpu: z.number().optional(), memoryMib: z.number().optional(), diskMb: z.number().optional() }),
    ])
    .optional(),
  hardTimeout: z.number().optional(),
})

const call = z.discriminatedUnion('method', [
  z.object({ method: z.literal('start'), life: z.number().int(), options: startOptions }),
  z.object({ method: z.literal('destroy'), value: z.string().optional() }),
  z.object({ method: z.literal('signal'), signal: z.number().int().min(1).max(64) }),
  z.object({ method: z.literal('setInactivityTimeout'), durationMs: z.number().positive() }),
  z.object({ method: z.literal('inspect') }),
])

const note = z.discriminatedUnion('note', [
  z.object({
    note: z.literal('hook'),
    hook: z.string().max(200),
    edge: z.enum(['begin', 'end']),
    call: z.number(),
    detail: z.string().max(10_000).optional(),
    tookMs: z.number().optional(),
    error: z.string().max(10_000).optional(),
  }),
  z.object({
    note: z.literal('alarm'),
    at: z.number().optional(),
    why: z.enum(['alarm', 'sleepAfter', 'schedule']).optional(),
  }),
  z.object({ note: z.literal('ran'), push: z.number(), error: z.string().max(10_000).optional() }),
  z.object({ note: z.enum(['busy', 'idle']) }),
])

const ahead = z.object({ ahead: z.number().int().positive(), path: z.string(), body: z.string() })

/** @returns undefined where the text is no call. */
export function parseCall(text: string): Call | undefined {
  return parsed(call, text) as Call | undefined
}

/** @returns undefined where the text is no note. */
export function parseNote(text: string): Note | undefined {
  return parsed(note, text) as Note | undefined
}

/** @returns undefined where the text is no request ahead of itself. */
export function parseAhead(text: string): Ahead | undefined {
  return parsed(ahead, text)
}

/** A text's value by a schema. @returns undefined where it is no JSON, or another value. */
export function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
