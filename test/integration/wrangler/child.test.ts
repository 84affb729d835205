import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type ChildEvent, openChild, type WranglerChild } from '../../../runtime/wrangler/child.ts'
import { bundle, type Folder, openProject } from './project.ts'

const config = {
  name: 'quotes',
  main: 'src/index.ts',
  compatibility_date: '2026-04-01',
  containers: [{ class_name: 'Quotes', image: './Dockerfile' }],
  durable_objects: { bindings: [{ name: 'QUOTES', class_name: 'Quotes' }] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['Quotes'] }],
}

const source = (answer: string) => `import { DurableObject } from 'cloudflare:workers'
export class Quotes extends DurableObject {}
export default { fetch() { return new Response('${answer}') } }
`

const files = { 'wrangler.jsonc': JSON.stringify(config), Dockerfile: 'FROM scratch\n', 'src/index.ts': source('one') }

/** A child on a project, with everything it said. */
interface Opened extends AsyncDisposable {
  readonly child: WranglerChild
  readonly project: Folder
  readonly events: ChildEvent[]
  start(port?: number): Promise<{ url: string; inspectorUrl: string | undefined }>
  /** Resolves with the next event of a type, or one that came already and was not asked for. */
  next<T extends ChildEvent['type']>(type: T): Promise<Extract<ChildEvent, { type: T }>>
}

async function open(
  some: Readonly<Record<string, string>> = files,
  options: { config?: string; env?: string } = {},
): Promise<Opened> {
  const project = await openProject(some)
  const dist = await bundle()
  try {
    const child = await openChild({
      dist,
      config: join(project.path, options.config ?? 'wrangler.jsonc'),
      env: options.env,
      session: 'test',
    })
    const events: ChildEvent[] = []
    const unseen: ChildEvent[] = []
    let wake = () => {}
    child.on((event) => {
      events.push(event)
      unseen.push(event)
      wake()
    })
    return {
      child,
      project,
      events,
      start: (port = 0) =>
        child.start({
          entry: {
            base: 'http://127.0.0.1:9',
            token: 'secret',
            workerModule: join(dist, 'worker.js'),
            folder: join(project.path, '.wrangler/moorage'),
          },
          port,
          host: '127.0.0.1',
          inspectorPort: 0,
          logLevel: 'info',
          vars: { FROM_SESSION: 'yes' },
        }),
      next: async (type) => {
        for (;;) {
          const at = unseen.findIndex((event) => event.type === type)
          if (at >= 0) return unseen.splice(at, 1)[0] as never
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      },
      [Symbol.asyncDispose]: async () => {
        await child.dispose()
        await project[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await project[Symbol.asyncDispose]()
    throw error
  }
}

const text = async (url: string): Promise<string> => (await fetch(url)).text()

/** Processes of a group, by the kernel. */
async function groupOf(pid: number): Promise<{ pid: number; command: string }[]> {
  const found = []
  for (const entry of await readdir('/proc')) {
    const line = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '') : ''
    const [, command = '', state, , group] = /^\d+ \((.*)\) (\S) (\d+) (\d+)/.exec(line) ?? []
    if (Number(group) === pid && state !== 'Z') found.push({ pid: Number(entry), command })
  }
  return found
}

describe('a project', () => {
  it('is read from wrangler.json too, with an environment', async () => {
    const env = {
      ...config,
      env: { staging: { name: 'staged', containers: config.containers, durable_objects: config.durable_objects } },
    }
    await using opened = await open(
      { ...files, 'wrangler.json': JSON.stringify(env) },
      { config: 'wrangler.json', env: 'staging' },
    )
    const { name, wranglerVersion } = opened.child.project
    assert.equal(name, 'staged')
    assert.match(wranglerVersion, /^4\./)
  })

  it('is read from wrangler.toml too', async () => {
    const toml = `name = "toml"
main = "src/index.ts"
compatibility_date = "2026-04-01"
[[containers]]
class_name = "Quotes"
image = "./Dockerfile"
[[durable_objects.bindings]]
name = "QUOTES"
class_name = "Quotes"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Quotes"]
`
    await using opened = await open({ ...files, 'wrangler.toml': toml }, { config: 'wrangler.toml' })
    assert.deepEqual(
      opened.child.project.containers.map(({ className }) => className),
      ['Quotes'],
    )
  })

  it('may link its container from exports', async () => {
    const linked = {
      name: 'linked',
      main: 'src/index.ts',
      compatibility_date: '2026-04-01',
      containers: [{ name: 'app', image: './Dockerfile' }],
      exports: { Quotes: { type: 'durable-object', storage: 'sqlite', container: 'app' } },
    }
    await using opened = await open({ ...files, 'wrangler.jsonc': JSON.stringify(linked) })
    assert.deepEqual(
      opened.child.project.containers.map(({ className, name }) => [className, name]),
      [['Quotes', 'app']],
    )
    assert.equal(await text((await opened.start()).url), 'one')
  })

  it('without a containers section is refused', async () => {
    const { containers: _, ...without } = config
    await assert.rejects(open({ ...files, 'wrangler.jsonc': JSON.stringify(without) }), { code: 'no-containers' })
  })

  it('without its Dockerfile is refused, and the path named', async () => {
    const { Dockerfile: _, ...without } = files
    await assert.rejects(
      open(without),
      (error: { code?: string; message: string }) =>
        error.code === 'dockerfile-missing' && error.message.includes('Quotes'),
    )
  })

  it('with a config that cannot be read is refused in wrangler’s words', async () => {
    await assert.rejects(open({ ...files, 'wrangler.jsonc': '{ "name": ' }), { code: 'config-invalid' })
  })

  it('without wrangler is refused', async () => {
    const project = await openProject(files, { withPackages: false })
    await assert.rejects(
      openChild({ dist: await bundle(), config: join(project.path, 'wrangler.jsonc'), session: 'test' }),
      { code: 'no-wrangler' },
    )
    await project[Symbol.asyncDispose]()
  })

  it('with a wrangler that is too old is refused, and both versions named', async () => {
    const project = await openProject(
      { ...files, 'node_modules/wrangler/package.json': '{"name":"wrangler","version":"4.39.0"}' },
      { withPackages: false },
    )
    await assert.rejects(
      openChild({ dist: await bundle(), config: join(project.path, 'wrangler.jsonc'), session: 'test' }),
      {
        code: 'wrangler-too-old',
        message: "The project's wrangler is 4.39.0; Moorage needs 4.40.0 or newer.",
      },
    )
    await project[Symbol.asyncDispose]()
  })
})

describe('a Worker', () => {
  it('is served, with an inspector, the session’s variables and an entry that only its owner can read', async () => {
    await using opened = await open({
      ...files,
      'src/index.ts': source('one').replace(
        "fetch() { return new Response('one') }",
        'fetch(_, env) { return new Response(env.FROM_SESSION) }',
      ),
    })
    const { url, inspectorUrl } = await opened.start()
    assert.equal(await text(url), 'yes')
    assert.match(inspectorUrl ?? '', /^http:\/\/127\.0\.0\.1:\d+\//)
    const { mode } = await stat(join(opened.project.path, '.wrangler/moorage/quotes.entry.mjs'))
    assert.equal(mode & 0o777, 0o600)
  })

  it('may have no default export, and its class another name in its own file', async () => {
    await using opened = await open({
      ...files,
      'src/index.ts': "export { Inner as Quotes } from './inner.ts'\n",
      'src/inner.ts':
        "import { DurableObject } from 'cloudflare:workers'\nexport class Inner extends DurableObject {}\n",
    })
    await opened.start()
    assert.deepEqual(
      opened.events.filter(({ type }) => type === 'build-failed'),
      [],
    )
  })

  it('that does not export a class with a container is refused', async () => {
    await using opened = await open({ ...files, 'src/index.ts': source('one').replace('class Quotes', 'class Quote') })
    await assert.rejects(opened.start(), { code: 'class-not-exported' })
  })

  it('says that its port is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    await using opened = await open()
    await assert.rejects(opened.start(port), { code: 'port-in-use', detail: { port } })
    other.close()
  })

  it('that cannot be built waits for the fix', async () => {
    await using opened = await open({ ...files, 'src/index.ts': `${source('one')}\nconst = 5\n` })
    const started = opened.start()
    const failed = await opened.next('build-failed')
    assert.equal(failed.serving, false)
    assert.match(failed.message, /index\.ts:\d+:\d+: Expected identifier/)
    await opened.project.write({ 'src/index.ts': source('fixed') })
    assert.equal(await text((await started).url), 'fixed')
  })

  it('that throws as it is loaded waits for the fix', async () => {
    await using opened = await open({ ...files, 'src/index.ts': `${source('one')}\nthrow new Error('at the top')\n` })
    const started = opened.start()
    assert.match((await opened.next('build-failed')).message, /at the top/)
    await opened.project.write({ 'src/index.ts': source('fixed') })
    assert.equal(await text((await started).url), 'fixed')
  })

  it('is reloaded when a file changes, at the same address', async () => {
    await using opened = await open()
    const { url } = await opened.start()
    await opened.project.write({ 'src/index.ts': source('two') })
    await opened.next('reloading')
    assert.ok((await opened.next('reloaded')).tookMs > 0)
    assert.equal(await text(url), 'two')
  })

  it('goes on serving the last good version after a failed build', async () => {
    await using opened = await open()
    const { url } = await opened.start()
    await opened.project.write({ 'src/index.ts': 'const = 5' })
    assert.equal((await opened.next('build-failed')).serving, true)
    assert.equal(await text(url), 'one')
    await opened.project.write({ 'src/index.ts': source('three') })
    await opened.next('reloaded')
    assert.equal(await text(url), 'three')
  })

  it('that throws as it is loaded anew is served again after the fix, at the same address', async () => {
    await using opened = await open()
    const { url } = await opened.start()
    await opened.project.write({ 'src/index.ts': `${source('two')}\nthrow new Error('at the top')\n` })
    const failed = await opened.next('build-failed')
    assert.deepEqual([failed.serving, /at the top/.test(failed.message)], [false, true])
    await opened.next('ready')
    await opened.project.write({ 'src/index.ts': source('three') })
    assert.equal((await opened.next('ready')).url, url)
    assert.equal(await text(url), 'three')
  })

  it('that exports a default only later has it then', async () => {
    await using opened = await open({ ...files, 'src/index.ts': source('one').replace(/export default.*/, '') })
    const { url } = await opened.start()
    await opened.project.write({ 'src/index.ts': source('default') })
    // Once for the module and once for the entry, or once for both.
    do await opened.next('reloaded')
    while ((await text(url)) !== 'default')
  })

  it('tells its console apart from wrangler’s', async () => {
    await using opened = await open({
      ...files,
      'src/index.ts': source('one').replace('fetch() {', "fetch() { console.warn('careful', { a: 1 });"),
    })
    await text((await opened.start()).url)
    let log = await opened.next('log')
    while (log.from !== 'worker') log = await opened.next('log')
    assert.deepEqual([log.level, log.text], ['warn', 'careful { a: 1 }'])
  })

  it('says when the config’s containers change', async () => {
    await using opened = await open()
    await opened.start()
    await opened.project.write({
      'wrangler.jsonc': JSON.stringify({ ...config, containers: [{ ...config.containers[0], max_instances: 7 }] }),
    })
    await opened.next('config-changed')
  })
})

describe('what is left behind', { skip: process.platform !== 'linux' }, () => {
  it('is nothing after dispose(), which takes less than 1.5 s', async () => {
    await using opened = await open()
    await opened.start()
    const { pid } = opened.child
    const begun = performance.now()
    await opened.child.dispose()
    assert.ok(performance.now() - begun < 1500)
    assert.deepEqual(await groupOf(pid as number), [])
  })

  it('is nothing after the child was killed, and the session hears of it', async () => {
    await using opened = await open()
    await opened.start()
    const { pid } = opened.child
    process.kill(pid as number, 'SIGKILL')
    assert.match((await opened.next('ended')).error.message, /ended by SIGKILL/)
    while ((await groupOf(pid as number)).length > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('is a Worker that is served again after a workerd was killed', async () => {
    await using opened = await open()
    const { url } = await opened.start()
    await opened.next('ready')
    for (const { pid, command } of await groupOf(opened.child.pid as number))
      if (command.startsWith('workerd')) process.kill(pid, 'SIGKILL')
    assert.equal((await opened.next('ready')).url, url)
    assert.equal(await text(url), 'one')
  })

  it('is nothing after its parent was killed', async () => {
    const project = await openProject(files)
    const dist = await bundle()
    const script = fileURLToPath(new URL('parent.ts', import.meta.url))
    const parent = spawn(process.execPath, [script, dist, project.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    assert.ok((await groupOf(pid)).some(({ command }) => command.startsWith('workerd')))
    parent.kill('SIGKILL')
    while ((await groupOf(pid)).length > 0) await new Promise((resolve) => setImmediate(resolve))
    await project[Symbol.asyncDispose]()
  })

  it('is a child that ignores the terminal’s Ctrl-C', async () => {
    await using opened = await open()
    const { url } = await opened.start()
    process.kill(opened.child.pid as number, 'SIGINT')
    assert.equal(await text(url), 'one')
  })
})
