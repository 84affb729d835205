/**
 * `npm run demo`: runs examples/quotes as it is, tells what happens, and ends with 0 only if all of it did. Each promise is
 * waited for in the session's own events, or asked of the Worker or the engine, so none is ticked that was not seen.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startSession } from '../../../runtime/index.ts'
import { docker } from '../left.ts'
import { copyExample } from '../project.ts'
import { Events } from '../session.ts'
import { PROMISES, Shelf } from './promises.ts'
import { ms, tell } from './tell.ts'
import { Terminal } from './terminal.ts'

const terminal = new Terminal()

async function main(signal: AbortSignal): Promise<void> {
  await using project = await copyExample('quotes')
  // The demo shows an image being built, also where it has run before: this file makes the context a new one.
  await writeFile(join(project.folder, 'container', 'demo.txt'), `${new Date().toISOString()}\n`)

  terminal.heading('A session of examples/quotes: a Worker, a class with a container, a Dockerfile')
  const base = process.env.MOORAGE_TEST_BASE
  if (base !== undefined) terminal.line('image', `${base}, made on this machine, stands in for node:22-alpine`)
  const events = new Events()
  const session = await startSession({
    config: join(project.folder, 'wrangler.jsonc'),
    buildArgs: base === undefined ? {} : { BASE: base },
    signal,
    onEvent(event, model) {
      events.add(event)
      const told = tell(event, model)
      if (told !== undefined) terminal.line(told.who, told.what)
    },
    onNotice: (text) => terminal.line('engine', text),
  })
  const shelf = new Shelf({ session, events, terminal, name: 'harbour' })
  try {
    const early = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('The demo was ended early.')))
      session.failed.then(reject, reject)
    })
    for (const [heading, promise] of PROMISES) {
      if (heading !== '') terminal.heading(heading)
      await Promise.race([promise(shelf), early])
    }
  } finally {
    terminal.heading('The end: nothing stays')
    await shelf.end()
    // The image of the demo's copy is of no more use to anyone.
    for (const { image } of session.model.classes) {
      if (image.state === 'ready') await docker(['image', 'rm', '--force', image.image]).catch(() => '')
    }
  }
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
try {
  await main(stop.signal)
  terminal.text(`\nAll ${terminal.kept} promises were kept, in ${ms(terminal.elapsedMs)}.`)
} catch (error) {
  terminal.text(`\nNot all of it happened. ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
