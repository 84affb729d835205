/** What the demo promises, one after the other. Each rejects with a sentence where it is not kept. */
import assert from 'node:assert/strict'
import type { ObjectModel, Session, SessionEvent } from '../../../runtime/index.ts'
import { docker, inEngine } from '../left.ts'
import type { Events } from '../session.ts'
import { ms } from './tell.ts'
import type { Terminal } from './terminal.ts'

/** Each event is waited for this long, in ms. */
const PATIENCE_MS = 45_000

interface ShelfOptions {
  readonly session: Session
  readonly events: Events
  readonly terminal: Terminal
  /** The shelf's name: one Durable Object, one container. */
  readonly name: string
}

/** One shelf of examples/quotes, as the demo sees it. */
export class Shelf {
  readonly session: Session
  readonly events: Events
  readonly terminal: Terminal
  readonly name: string

  constructor(options: ShelfOptions) {
    this.session = options.session
    this.events = options.events
    this.terminal = options.terminal
    this.name = options.name
  }

  /** A request to the shelf through the Worker, told with its answer. */
  async request(method: string, path: string, status = 200): Promise<string> {
    const start = performance.now()
    const url = new URL(`/shelf/${this.name}/${path}`, this.session.urls[0])
    const response = await fetch(url, { method })
    const text = (await response.text()).trim()
    const took = ms(performance.now() - start)
    this.terminal.line('request', `${method} ${url.pathname} → ${response.status} in ${took}  ${text}`)
    assert.equal(response.status, status, `${method} ${url.pathname} was answered with ${response.status}: ${text}`)
    return text
  }

  /** The place in the events of the first one at `from` or later that is wanted. */
  async event(what: string, from: number, wanted: (event: SessionEvent) => boolean): Promise<number> {
    return this.events.next(what, (event) => wanted(event) && this.events.all.indexOf(event), from, PATIENCE_MS)
  }

  /** The place at which a hook has ended. */
  async hook(name: string, from: number): Promise<number> {
    return this.event(name, from, (event) => event.type === 'hook' && event.hook === name && event.edge === 'end')
  }

  /** The place at which the container comes into a state. */
  async state(name: string, from: number): Promise<number> {
    return this.event(`the container is ${name}`, from, (event) => {
      return event.type === 'container' && event.container.state === name
    })
  }

  /** The place of a line of the container's log. */
  async log(text: string, from: number): Promise<number> {
    return this.event(`the log line "${text}"`, from, (event) => {
      return event.type === 'container-log' && event.text.includes(text)
    })
  }

  /** The object in the session's model. */
  get model(): ObjectModel {
    const model = this.session.model.objects.find(({ name }) => name === this.name)
    assert.ok(model, `The session knows no object ${this.name}.`)
    return model
  }

  /** The id of the container that runs. */
  get containerId(): string {
    const { container } = this.model
    assert.equal(container.state, 'running')
    return container.state === 'running' ? container.containerId : ''
  }

  /** Ends the session; asks the engine and the port what is left. */
  async end(): Promise<void> {
    const start = performance.now()
    await this.session.dispose()
    const took = ms(performance.now() - start)
    const left = await inEngine(this.session.id)
    assert.deepEqual(left, [], `This is left in the engine: ${left.join(', ')}`)
    const gone = await fetch(this.session.urls[0]!).then(
      () => false,
      () => true,
    )
    assert.ok(gone, 'The Worker is still served.')
    this.terminal.seen(`ended in ${took}: the engine has no container, network or volume of the session any more`)
  }
}

/** Rises strictly: what comes first is first. */
function inOrder(what: string, places: readonly number[]): void {
  const sorted = [...places].sort((a, b) => a - b)
  assert.deepEqual(places, sorted, `${what} did not happen in this order.`)
}

async function imageIsBuilt({ session, events, terminal }: Shelf): Promise<void> {
  const image = await events.next(
    'the image is built',
    (event) => {
      if (event.type !== 'image') return false
      assert.notEqual(event.image.state, 'failed', 'The image could not be built.')
      return event.image.state === 'ready' && event.image
    },
    0,
    PATIENCE_MS,
  )
  const steps = events.all.flatMap((event) =>
    event.type === 'image' && event.image.state === 'preparing' && event.image.step !== undefined
      ? [event.image.step]
      : [],
  )
  assert.ok(steps.length >= 3, 'The build told no progress.')
  inOrder('The steps of the build', steps)
  await docker(['image', 'inspect', image.image])
  terminal.seen(`the image was built in ${ms(image.tookMs)}, told step by step, and the engine has it`)

  const answer = await fetch(session.urls[0]!)
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /Quotes/)
  assert.equal(session.model.projects[0]?.worker.state, 'ready')
  terminal.seen(`the Worker answers on ${session.urls[0]}`)
}

async function firstRequest(shelf: Shelf): Promise<void> {
  const from = shelf.events.now
  const quote = JSON.parse(await shelf.request('GET', 'quotes/1')) as { shelf: string; by: string }
  assert.equal(quote.shelf, shelf.name)
  const order = [
    await shelf.hook('constructor', from),
    await shelf.state('starting', from),
    await shelf.state('running', from),
    await shelf.hook('onStart', from),
    await shelf.hook('fetch', from),
  ]
  inOrder('constructor, start, running, onStart and the answer', order)
  assert.equal(await docker(['inspect', '--format', '{{.State.Running}}', shelf.containerId]), 'true')
  shelf.terminal.seen('the first request started a container: constructor, start(), onStart, answer, in this order')

  await shelf.log('5 quotes, listening on 8080 and 9090', from)
  await shelf.log('GET /quotes/1', from)
  const logs = await docker(['logs', shelf.containerId])
  assert.match(logs, /GET \/quotes\/1/)
  shelf.terminal.seen('its log lines came here, and `docker logs` has them too')

  await shelf.request('GET', 'quotes/2')
  const { served } = JSON.parse(await shelf.request('GET', 'metrics')) as { served: number }
  assert.equal(served, 2)
  shelf.terminal.seen('a second request took the container that runs; its second port answers through switchPort')
}

async function webSocket(shelf: Shelf): Promise<void> {
  const from = shelf.events.now
  const socket = new WebSocket(new URL(`/shelf/${shelf.name}/ws`, shelf.session.urls[0]))
  const heard: string[] = []
  const sent = ['ahoy', 'is anyone aboard?']
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => socket.send(sent[0]!)
    socket.onerror = () => reject(new Error('The WebSocket failed.'))
    socket.onclose = () => resolve()
    socket.onmessage = ({ data }) => {
      shelf.terminal.line('request', `WebSocket: sent "${sent[heard.length]}", heard "${data}"`)
      heard.push(String(data))
      const next = sent[heard.length]
      if (next === undefined) socket.close(1000)
      else socket.send(next)
    }
  })
  assert.deepEqual(
    heard,
    sent.map((text) => `${shelf.name}: ${text}`),
  )
  await shelf.log('a WebSocket opens', from)
  await shelf.log('a WebSocket closes', from)
  shelf.terminal.seen('a WebSocket was opened into the container, spoke both ways and was closed')
}

async function restart(shelf: Shelf): Promise<void> {
  await shelf.request('GET', 'count')
  assert.equal(JSON.parse(await shelf.request('GET', 'count')).count, 2)
  const before = shelf.containerId
  const from = shelf.events.now
  await shelf.request('POST', 'restart', 204)
  const stopped = await shelf.state('stopped', from)
  const onStop = await shelf.hook('onStop', stopped)
  const { count, pid } = JSON.parse(await shelf.request('GET', 'count')) as { count: number; pid: number }
  assert.deepEqual({ count, pid }, { count: 1, pid: 1 })
  assert.notEqual(shelf.containerId, before)
  await shelf.log('SIGTERM: closing the shelf', from)
  inOrder('The end, onStop, the new start and onStart', [
    stopped,
    onStop,
    await shelf.state('running', stopped),
    await shelf.hook('onStart', stopped),
  ])
  shelf.terminal.seen('a restart: TERM, onStop with exit code 0, another container, whose count begins at 1 again')
}

async function sleep(shelf: Shelf): Promise<void> {
  const from = shelf.events.now
  const expired = await shelf.hook('onActivityExpired', from)
  const stopped = await shelf.state('stopped', from)
  const onStop = await shelf.hook('onStop', from)
  inOrder('onActivityExpired, the end and onStop', [expired, stopped, onStop])
  const { container } = shelf.model
  assert.equal(container.state, 'stopped')
  if (container.state === 'stopped') assert.deepEqual(container.end.reason, { kind: 'idle', exitCode: 0 })
  shelf.terminal.seen('nobody asked for four seconds: onActivityExpired, TERM, exit code 0, onStop')
}

async function history(shelf: Shelf): Promise<void> {
  const url = new URL(`/shelf/${shelf.name}/history`, shelf.session.urls[0])
  const moments = (await (await fetch(url)).json()) as { at: number; what: string }[]
  const first = moments[0]?.at ?? 0
  for (const { at, what } of moments) shelf.terminal.line('hook', `${ms(at - first).padStart(7)}  ${what}`)
  const hooks = moments.map(({ what }) => what.split(':')[0])
  assert.deepEqual(
    hooks.filter((hook) => hook !== 'report'),
    ['onStart', 'onStop', 'onStart', 'onActivityExpired', 'onStop'],
  )
  assert.ok(hooks.includes('report'), 'What onStart scheduled has not run.')
  shelf.terminal.seen('the object itself saw the same, and its storage kept it: all hooks in order, and the schedule')
}

/** Headings and what is shown below them. */
export const PROMISES: readonly (readonly [heading: string, promise: (shelf: Shelf) => Promise<void>])[] = [
  ['', imageIsBuilt],
  ['The first request starts a container', firstRequest],
  ['A WebSocket into the container', webSocket],
  ['A restart: the Worker stops the container, and the next request starts another', restart],
  ['Nobody asks any more: sleepAfter (4 s) ends the container', sleep],
  ['What the hooks wrote down', history],
]
