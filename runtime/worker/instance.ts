/**
 * The shell around one instance of a user's class. The class is not extended: @cloudflare/containers keys its handlers by
 * the class's own name. The user's object is made only after the runtime said what it knows, so that `running` is right in
 * its constructor; until then, and for ever after, what the platform holds is a proxy that passes everything on.
 */
import { type EntryOptions, NO_START, type Push } from '../protocol/worker.ts'
import { afterItsTime } from './alarm.ts'
import { Alarms } from './alarms.ts'
import { createContainer } from './container.ts'
import type { Hold } from './hold.ts'
import { Hooks, words } from './hooks.ts'
import { Link } from './link.ts'
import { startItself, startsItself } from './restart.ts'

/** A Durable Object class, as far as the shell looks at it. */
export type ObjectClass = new (ctx: DurableObjectState, env: unknown) => object

/**
 * The class with `ctx.container`: the same class, name, statics and prototype; only `new` does more.
 * @param className the name that the Worker exports it by, which the config names.
 */
export function withContainer<C extends ObjectClass>(UserClass: C, className: string, options: EntryOptions): C {
  return new Proxy(UserClass, {
    construct: (target, [ctx, env], newTarget) => {
      const prototype = (newTarget as { prototype: object }).prototype
      return openInstance(
        ctx as DurableObjectState,
        className,
        options,
        prototype,
        () => Reflect.construct(target, [ctx, env], newTarget) as object,
      )
    },
  })
}

function openInstance(
  ctx: DurableObjectState,
  className: string,
  options: EntryOptions,
  prototype: object,
  construct: () => object,
): object {
  const link = new Link(
    options,
    { className, id: ctx.id.toString(), name: ctx.id.name },
    (attached) => adopt(attached),
    (push) => void pushed(push),
  )
  const hooks = new Hooks((note) => link.note(note))
  const busy = new Busy((note) => link.note({ note }))
  const alarms = new Alarms(ctx, (note) => link.note(note))
  const { captures, experimental } = options
  const { container, adopt } = createContainer({
    link,
    captures,
    experimental,
    waiting: (change) => busy.count(change),
    hold: holdOf(ctx),
  })
  Object.defineProperty(ctx, 'container', { value: container, writable: true, configurable: true, enumerable: true })

  let inner: object | undefined
  // Without a catch: what the constructor throws resets the object and reaches the caller, as on the platform.
  void ctx.blockConcurrencyWhile(async () => {
    await link.attach()
    inner = hooks.run('constructor', undefined, construct)
    hooks.wrap(inner)
    // Not waited for: nothing of the object depends on it.
    void alarms.begin(inner).catch(() => undefined)
  })

  /** The runtime let go of this instance, and an event came before the platform did: it is taken in again first. */
  const attachAgain = () => ctx.blockConcurrencyWhile(() => link.attach())

  /** A method as an event calls it. */
  const asEvent = (self: object, key: string | symbol, method: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]) => {
      busy.count(1)
      if (key === 'alarm') alarms.runs()
      const apply = (): unknown => Reflect.apply(method, self, args)
      const call = key === 'alarm' ? () => afterItsTime(args[0], apply) : apply
      return settled(link.alive ? call : () => attachAgain().then(call), () => {
        alarms.changed()
        busy.count(-1)
      })
    }
  }

  /** A person has a hook run: the developer's own, with what it throws as the answer. */
  const pushed = async (asked: Push): Promise<void> => {
    const { push, run } = asked
    busy.count(1)
    let error: string | undefined
    try {
      if (asked.run === 'start') {
        if (!inner || !startsItself(inner)) throw new Error(NO_START)
        await startItself(inner, container as Container, asked.options)
      } else {
        const method: unknown = inner && Reflect.get(inner, run, inner)
        if (!inner || typeof method !== 'function') throw new Error(`The class has no ${run}().`)
        const call = (...args: unknown[]): unknown => Reflect.apply(method, inner, args)
        await (run === 'alarm' ? alarms.run(call) : call())
      }
    } catch (thrown) {
      error = words(thrown)
    }
    link.note({ note: 'ran', push, ...(error !== undefined && { error }) })
    alarms.changed()
    busy.count(-1)
  }

  /**
   * A method that is looked up before there is an object to call it on: the platform takes `fetch`, `alarm` and their like as
   * soon as it has the instance, and calls them later. They must find the user's object then, private members and all.
   */
  const early = (value: unknown, key: string | symbol): unknown => {
    if (typeof value !== 'function' || key === 'constructor') return value
    return (...args: unknown[]) => {
      if (!inner) throw new Error('The object was called before its constructor had run.')
      return asEvent(inner, key, Reflect.get(inner, key, inner) as (...args: unknown[]) => unknown)(...args)
    }
  }

  return new Proxy(Object.create(prototype) as object, {
    get: (shell, key) => {
      if (!inner) return early(Reflect.get(shell, key), key)
      const value: unknown = Reflect.get(inner, key, inner)
      return typeof value === 'function' && key !== 'constructor'
        ? asEvent(inner, key, value as (...args: unknown[]) => unknown)
        : value
    },
    set: (shell, key, value) => Reflect.set(inner ?? shell, key, value),
    has: (shell, key) => Reflect.has(inner ?? shell, key),
    getPrototypeOf: () => prototype,
    // workerd refuses an RPC of an instance's own property, and has to find that it is one.
    getOwnPropertyDescriptor: (shell, key) => ownProperty(inner ?? shell, key, hooks),
  })
}

/** A property of the instance itself; the functions that hooks put in the place of methods are not seen as such. */
function ownProperty(instance: object, key: PropertyKey, hooks: Hooks): PropertyDescriptor | undefined {
  const own = Reflect.getOwnPropertyDescriptor(instance, key)
  return own === undefined || hooks.placed(own.value) ? undefined : { ...own, configurable: true }
}

/** MoorageHold, where the compatibility date or flags give the object its Worker's exports. */
function holdOf(ctx: DurableObjectState): Hold | undefined {
  return (ctx as unknown as { exports?: { MoorageHold?: Hold } }).exports?.MoorageHold
}

/** Runs a call and says when it is over. Only a real promise is waited for: to look at another thenable might start it. */
function settled(call: () => unknown, over: () => void): unknown {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    over()
    throw error
  }
  if (result instanceof Promise) result.then(over, over)
  else over()
  return result
}

/** Counts what keeps an object in memory: events under way and waiting monitor() calls. Tells the first and the last. */
class Busy {
  readonly #tell: (note: 'busy' | 'idle') => void
  #under = 0

  constructor(tell: (note: 'busy' | 'idle') => void) {
    this.#tell = tell
  }

  count(change: 1 | -1): void {
    this.#under += change
    if (change === 1 && this.#under === 1) this.#tell('busy')
    if (change === -1 && this.#under === 0) this.#tell('idle')
  }
}
