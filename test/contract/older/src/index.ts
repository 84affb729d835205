/** How a call of a method that returns a promise fails. */
function failure(call: () => Promise<unknown>): 'threw' | 'gave a promise' {
  try {
    call().catch(() => {})
    return 'gave a promise'
  } catch {
    return 'threw'
  }
}

/** Written as in those days: a class of its own, asked by fetch. */
export class Older {
  readonly ctx: DurableObjectState

  constructor(ctx: DurableObjectState) {
    this.ctx = ctx
  }

  async fetch(): Promise<Response> {
    const { container } = this.ctx
    if (!container) return new Response('there is no ctx.container', { status: 500 })
    const failures = {
      monitor: failure(() => container.monitor()),
      setInactivityTimeout: failure(() => container.setInactivityTimeout(0)),
    }
    container.start()
    try {
      for (;;) {
        try {
          const answer = await container.getTcpPort(8080).fetch('http://container/')
          return new Response(JSON.stringify({ ...failures, container: await answer.text() }))
        } catch (error) {
          if (!container.running) throw error
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
    } finally {
      await container.destroy()
    }
  }
}

export default {
  fetch(request: Request, env: { Older: DurableObjectNamespace }): Promise<Response> {
    return env.Older.get(env.Older.idFromName('one')).fetch(request)
  },
}
