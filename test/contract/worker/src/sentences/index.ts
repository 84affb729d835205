import type { PlainObject } from '../plain.ts'
import { connect } from './connect.ts'
import { destroy } from './destroy.ts'
import { environment } from './environment.ts'
import { exec } from './exec.ts'
import { execBytes } from './exec-bytes.ts'
import { execLife } from './exec-life.ts'
import { execPty } from './exec-pty.ts'
import { execRules } from './exec-rules.ts'
import { execScratch } from './exec-scratch.ts'
import { http } from './http.ts'
import { inspect } from './inspect.ts'
import { later } from './later.ts'
import { life } from './life.ts'
import { monitor } from './monitor.ts'
import { network } from './network.ts'
import { port } from './port.ts'
import { running } from './running.ts'
import { signal } from './signal.ts'
import { start } from './start.ts'

/** A sentence of the specification, done: it returns what was seen. */
export type Sentence = (o: PlainObject, args: Record<string, string>) => unknown

export type Sentences = Record<string, Sentence>

export const sentences: Record<string, Sentences> = {
  connect,
  destroy,
  environment,
  exec,
  execBytes,
  execLife,
  execPty,
  execScratch,
  execRules,
  http,
  inspect,
  later,
  life,
  monitor,
  network,
  port,
  running,
  signal,
  start,
}
