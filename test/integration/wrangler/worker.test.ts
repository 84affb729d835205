import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openChild } from '../../../runtime/wrangler/child.ts'
import { bundle, openProject } from './project.ts'
import { StandIn, type StandInOptions } from './stand-in.ts'

/** A class that does what the path says; the answer is JSON. */
const source = `import { DurableObject } from 'cloudflare:workers'
const errorOf = (error) => (error instanceof Error ? { name: error.name, message: error.message, ...(error.cause && { cause: error.cause.message }) } : { value: error })
const outcome = async (call) => {
  let promise
  try { promise = call() } catch (error) { return { threw: errorOf(error) } }
  try { return { resolved: String(await promise) } } catch (error) { return { rejected: errorOf(error) } }
}
export class Inner extends DurableObject {
  static mine = 'static'
  field = 'field'
  instance = crypto.randomUUID()
  constructor(ctx, env) {
    super(ctx, env)
    this.inConstructor = ctx.container.running
    ctx.blockConcurrencyWhile(async () => { await scheduler.wait(5); this.blocked = 'done' })
  }
  get container() { return this.ctx.container }
  async work(step, inside) {
    const c = this.container
    switch (step) {
      case 'who': return { name: this.constructor.name, static: this.constructor.mine, field: this.field, blocked: this.blocked, isIt: this instanceof Inner, container: Object.prototype.toString.call(c), keys: Object.keys(c) }
      case 'look': return { instance: this.instance, inConstructor: this.inConstructor, running: c.running }
      case 'start': return outcome(() => c.start())
      case 'abort': return this.ctx.abort('asked')
      case 'monitor': return outcome(() => c.monitor())
      case 'mixed': { c.start(); c.signal(1); c.signal(2); await c.destroy('x'); return c.running }
      case 'spin': { const until = Date.now() + 5000; while (c.running && Date.now() < until) await scheduler.wait(10); return c.running }
      case 'startAndSpin': c.start(); return this.work('spin')
      case 'bad': return [await outcome(() => c.setInactivityTimeout(0)), await outcome(() => c.exec(['x'])), await outcome(() => c.signal(0))]
      case 'images': return c.images
      case 'inspect': return [await c.inspect(), c.start(), await c.inspect()]
      case 'stolen': return outcome(() => { const { start } = c; return start() })
    }
  }
  async go(step, inside) { return JSON.stringify(await (inside ? this.ctx.blockConcurrencyWhile(() => this.work(step)) : this.work(step))) }
  async fetch(request) {
    const url = new URL(request.url)
    if (url.pathname === '/fetch') return new Response('fetched')
    return new Response((await this.go(url.pathname.slice(1), url.searchParams.has('inside'))) ?? 'null')
  }
  onStart() { return 'hooked' }
  async alarm() { this.ran = true }
  async plan() { await this.ctx.storage.setAlarm(Date.now() + 10); await scheduler.wait(200); return String(this.ran) }
}
export default { async fetch(request, env) {
  const url = new URL(request.url)
  const stub = env.QUOTES.get(env.QUOTES.idFromName('a'))
  const [, step] = url.pathname.split('/')
  try {
    if (step === 'plan') return new Response(await stub.plan())
    if (step === 'field') return new Response(String(await stub.field))
    if (step === 'missing') return new Response(String(await stub.missing()))
    if (step === 'hook') return new Response(String(await stub.onStart()))
    return await stub.fetch(request)
  } catch (error) { return new Response(String(error), { status: 500 }) }
} }
`

interface Opened extends AsyncDisposable {
  readonly relay: StandIn
  ask(step: string): Promise<unknown>
  text(step: string): Promise<string>
}

async function open(options: StandInOptions & { date?: string } = {}): Promise<Opened> {
  const relay = await new StandIn(options).listen()
  const project = await openProject({
    'wrangler.jsonc': JSON.stringify({
      name: 'quotes',
      main: 'src/index.ts',
      compatibility_date: options.date ?? '2026-04-01',
      containers: [{ class_name: 'Quotes', image: './Dockerfile' }],
      durable_objects: { bindings: [{ name: 'QUOTES', class_name: 'Quotes' }] },
      migrations: [{ tag: 'v1', new_sqlite_classes: ['Quotes'] }],
    }),
    Dockerfile: 'FROM scratch\n',
    'src/index.ts': source.replaceAll('export class Inner', 'class Inner').concat('\nexport { Inner as Quotes }\n'),
  })
  const dist = await bundle()
  const child = await openChild({ dist, config: join(project.path, 'wrangler.jsonc'), session: 'test' })
  const folder = join(project.path, '.wrangler/moorage')
  const { url } = await child.start({
    entry: { base: relay.base, token: relay.token, workerModule: join(dist, 'worker.js'), folder },
    port: 0,
    host: '127.0.0.1',
    inspectorPort: 0,
    logLevel: 'error',
    vars: {},
  })
  const text = async (step: string) => (await fetch(new URL(step, url))).text()
  return {
    relay,
    text,
    ask: async (step) => {
      const answer = await text(step)
      try {
        return JSON.parse(answer) as unknown
      } catch {
        return answer
      }
    },
    [Symbol.asyncDispose]: async () => {
      await child.dispose()
      await relay[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}

describe('a class with a container', () => {
  it('keeps its own name, statics, fields and prototype, and has the platform’s object', async () => {
    await using opened = await open()
    assert.deepEqual(await opened.ask('who'), {
      name: 'Inner',
      static: 'static',
      field: 'field',
      blocked: 'done',
      isIt: true,
      container: '[object Container]',
      keys: [],
    })
  })

  it('has RPC, alarms and fetch as before', async () => {
    await using opened = await open()
    assert.equal(await opened.text('fetch'), 'fetched')
    assert.equal(await opened.text('plan'), 'true')
    assert.equal(await opened.text('hook'), 'hooked')
    assert.equal(await opened.text('field'), 'TypeError: The RPC receiver does not implement the method "field".')
    assert.match(await opened.text('missing'), /does not implement the method "missing"/)
    assert.ok(opened.relay.heard.includes('hook alarm end'))
    assert.ok(opened.relay.heard.includes('hook fetch begin (GET /fetch)'))
  })

  it('insists on its this', async () => {
    await using opened = await open()
    assert.equal(((await opened.ask('stolen')) as { threw?: { name: string } }).threw?.name, 'TypeError')
  })

  it('is known by its exported name and the object’s name', async () => {
    await using opened = await open()
    await opened.ask('who')
    assert.equal(opened.relay.heard[0], 'attach Quotes a')
  })
})

describe('calls', () => {
  it('are taken up in the order of their making', async () => {
    await using opened = await open()
    assert.equal(await opened.ask('mixed'), false)
    assert.deepEqual(
      opened.relay.heard.filter(
        (line) => line.startsWith('call') || line.startsWith('signal') || line.startsWith('destroyed'),
      ),
      ['call start', 'call signal', 'signal 1', 'call signal', 'signal 2', 'call destroy', 'destroyed with x'],
    )
  })

  it('are the same inside blockConcurrencyWhile', async () => {
    await using opened = await open()
    assert.equal(await opened.ask('mixed?inside'), false)
  })

  it('tell images and what runs', async () => {
    await using opened = await open()
    assert.deepEqual(await opened.ask('images'), { small: 'small' })
    assert.deepEqual(await opened.ask('inspect'), [null, null, { labels: { a: 'b' }, image: 'image:1' }])
  })
})

describe('running', () => {
  // With the older date the object cannot reach its Worker's exports, and hears of the end in another way.
  for (const date of ['2026-04-01', '2024-06-01']) {
    it(`becomes false in the middle of the block that started it (${date})`, async () => {
      await using opened = await open({ date })
      const spun = opened.ask('startAndSpin?inside')
      await opened.relay.hears('call start')
      opened.relay.end(opened.relay.only(), { exitCode: 0 })
      assert.equal(await spun, false)
    })

    it(`becomes false though nobody called monitor() (${date})`, async () => {
      await using opened = await open({ date })
      await opened.ask('start')
      await opened.relay.hears('call start')
      opened.relay.end(opened.relay.only(), { exitCode: 0 })
      assert.equal(await opened.ask('spin'), false)
    })
  }

  it('becomes false in the middle of a block though the start was outside, and nobody asks for anything', async () => {
    await using opened = await open()
    await opened.ask('start')
    await opened.relay.hears('call start')
    await opened.relay.hears('idle')
    opened.relay.heard.length = 0
    const spun = opened.ask('spin?inside')
    await opened.relay.hears('busy')
    opened.relay.end(opened.relay.only(), { exitCode: 0 })
    assert.equal(await spun, false)
  })

  it('is right in the constructor after an abort', async () => {
    await using opened = await open()
    await opened.ask('start')
    const before = (await opened.ask('look')) as { instance: string }
    await opened.ask('abort')
    await opened.relay.hears('detach')
    const after = (await opened.ask('look')) as { instance: string; inConstructor: boolean }
    assert.notEqual(after.instance, before.instance)
    assert.equal(after.inConstructor, true)
  })
})

describe('monitor()', () => {
  it('tells why a start failed, with its cause, and makes running false', async () => {
    const refusal = { message: 'Container failed to start', cause: 'There is no image x.' }
    await using opened = await open({ onStart: () => refusal })
    await opened.ask('start')
    assert.deepEqual(await opened.ask('monitor'), { rejected: { name: 'Error', ...refusal } })
    assert.equal(((await opened.ask('look')) as { running: boolean }).running, false)
  })

  it('tells the end of a container that was adopted', async () => {
    await using opened = await open()
    await opened.ask('start')
    await opened.ask('abort')
    await opened.relay.hears('detach')
    await opened.ask('look')
    const told = opened.ask('monitor')
    while (opened.relay.only().waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
    opened.relay.end(opened.relay.only(), { exitCode: 7 })
    assert.deepEqual(await told, {
      rejected: { name: 'Error', message: 'Container exited with unexpected exit code: 7' },
    })
  })
})

describe('an instance that the runtime has let go of', () => {
  it('is taken in again before the next event, and told what runs', async () => {
    await using opened = await open()
    await opened.ask('start')
    const object = opened.relay.only()
    opened.relay.evict(object)
    object.running = false
    await opened.relay.hears('detach')
    const { running, inConstructor } = (await opened.ask('look')) as { running: boolean; inConstructor: boolean }
    assert.deepEqual([running, inConstructor], [false, false])
    assert.equal(opened.relay.heard.filter((line) => line === 'attach Quotes a').length, 2)
  })

  it('keeps nothing open that would keep it in memory', async () => {
    await using opened = await open()
    await opened.ask('start')
    opened.relay.evict(opened.relay.only())
    await opened.relay.hears('detach')
    assert.deepEqual([opened.relay.sockets.size, opened.relay.only().waiting.length], [0, 0])
  })
})

describe('an old compatibility date', () => {
  it('makes methods throw that reject else', async () => {
    await using opened = await open({ date: '2022-10-01' })
    const [timeout, exec, signal] = (await opened.ask('bad')) as { threw?: { message: string } }[]
    assert.equal(timeout?.threw?.message, 'setInactivityTimeout() cannot be called with a durationMs <= 0')
    assert.equal(exec?.threw?.message, 'exec() cannot be called on a container that is not running.')
    assert.equal(signal?.threw?.message, 'Invalid signal number.')
  })

  it('has its counterpart today', async () => {
    await using opened = await open()
    const [timeout, exec, signal] = (await opened.ask('bad')) as { threw?: unknown; rejected?: { message: string } }[]
    assert.equal(timeout?.rejected?.message, 'setInactivityTimeout() cannot be called with a durationMs <= 0')
    assert.equal(exec?.rejected?.message, 'exec() cannot be called on a container that is not running.')
    assert.ok(signal?.threw)
  })
})
