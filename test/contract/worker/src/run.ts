/** Processes in the contract's containers, and what they tell. */
import { IDLE, type PlainObject } from './plain.ts'

/** What a process did, as plain values. */
export interface Ran {
  exitCode: number
  stdout: string
  stderr: string
}

const decoder = new TextDecoder()

/** Starts the container with a root process that does nothing. */
export function idle(o: PlainObject, options: ContainerStartupOptions = {}): Container {
  o.container.start({ entrypoint: IDLE, ...options })
  return o.container
}

/** As idle(), and waits until it runs. */
export async function running(o: PlainObject): Promise<Container> {
  const container = idle(o)
  await run(o, ['true'])
  return container
}

/** Runs a process to its end. */
export async function run(o: PlainObject, cmd: string[], options?: ContainerExecOptions): Promise<Ran> {
  const { stdout, stderr, exitCode } = await (await o.container.exec(cmd, options)).output()
  return { exitCode, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) }
}

/** Runs a shell script to its end. */
export function sh(o: PlainObject, script: string, options?: ContainerExecOptions): Promise<Ran> {
  return run(o, ['sh', '-c', script], options)
}

/** Reads a stream to its end, as text. */
export async function text(stream: ReadableStream | null): Promise<string> {
  if (!stream) throw new Error('there is no such stream')
  let all = ''
  for await (const chunk of stream) all += decoder.decode(chunk as Uint8Array, { stream: true })
  return all
}

/** Reads lines one after the other. */
export function lines(stream: ReadableStream | null): { next(): Promise<string | undefined> } {
  if (!stream) throw new Error('there is no such stream')
  const reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let held = ''
  return {
    async next() {
      for (;;) {
        const at = held.indexOf('\n')
        if (at >= 0) {
          const line = held.slice(0, at)
          held = held.slice(at + 1)
          return line
        }
        const { done, value } = await reader.read()
        if (done) return undefined
        held += decoder.decode(value, { stream: true })
      }
    },
  }
}

/** Bytes of which each place has its own value, so that a lost, doubled or swapped chunk shows. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let x = 1
  for (let i = 0; i < length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff
    bytes[i] = x >> 16
  }
  return bytes
}

/** A short name of bytes. */
export async function digest(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return `${bytes.byteLength} ${[...hash.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** Processes of the container beside its root process, Moorage's agent and the one that looks. */
export async function others(o: PlainObject): Promise<string[]> {
  const script = `for f in /proc/[0-9]*; do p=\${f#/proc/}; [ $p = 1 ] || [ $p = $$ ] || {
    read -r _ name state _ < $f/stat && echo "$name $state"; } 2> /dev/null; done; true`
  return (await sh(o, script)).stdout.split('\n').filter((line) => line !== '' && !line.startsWith('(agent)'))
}

/** A stream that the Worker itself makes, of a list of words. */
export function made(...words: string[]): ReadableStream {
  const encoder = new TextEncoder()
  return new ReadableStream({
    pull(controller) {
      const word = words.shift()
      if (word === undefined) controller.close()
      else controller.enqueue(encoder.encode(word))
    },
  })
}
