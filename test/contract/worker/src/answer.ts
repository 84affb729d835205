import { IDLE, type PlainObject } from './plain.ts'

type Way = (process: ExecProcess, state: DurableObjectState) => ReadableStream | null

/** Ways of giving a process's output as the body of an answer. */
const WAYS: Record<string, Way> = {
  stdout: ({ stdout }) => stdout,
  terminal: ({ stdout }) => stdout,
  combined: ({ stdout }) => stdout,
  stderr: ({ stderr }) => stderr,
  tee({ stdout }) {
    const [one, two] = stdout?.tee() ?? []
    void two?.cancel()
    return one ?? null
  },
  waitUntil({ stdout, exitCode }, state) {
    state.waitUntil(exitCode)
    return stdout
  },
  through: ({ stdout }) => stdout?.pipeThrough(new TransformStream()) ?? null,
  identity: ({ stdout }) => stdout?.pipeThrough(new IdentityTransformStream()) ?? null,
}

const OPTIONS: Record<string, ContainerExecOptions> = { terminal: { pty: true }, combined: { stderr: 'combined' } }

/** Answers with what a script writes. */
export async function answer(o: PlainObject, way: string, script: string): Promise<Response> {
  if (!o.container.running) o.container.start({ entrypoint: IDLE })
  const process = await o.container.exec(['sh', '-c', script], OPTIONS[way])
  return new Response(WAYS[way]?.(process, o.state))
}
