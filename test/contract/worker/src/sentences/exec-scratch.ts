import { run } from '../run.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

/** In an image of one static program. */
export const execScratch: Sentences = {
  async runs(o) {
    o.container.start()
    return run(o, ['/busybox', 'echo', 'hello'])
  },

  async user(o) {
    o.container.start()
    const id = async (user?: string) =>
      (await run(o, ['/busybox', 'sh', '-c', '/busybox id -u; /busybox id -g'], user === undefined ? {} : { user }))
        .stdout
    return [
      await id(),
      await id('0:0'),
      await id('5'),
      await id('root'),
      await outcome(() => o.container.exec(['/busybox'], { user: 'node' })),
    ]
  },

  async killed(o) {
    o.container.start()
    const process = await o.container.exec(['/busybox', 'sleep', '1000'])
    process.kill()
    return process.exitCode
  },

  async writesNoFile(o) {
    o.container.start()
    const files = async () => (await run(o, ['/busybox', 'find', '/', '-xdev', '-type', 'f'])).stdout
    const before = await files()
    await run(o, ['/busybox', 'cat'], { stdin: new Response('x').body as ReadableStream, cwd: '/', env: { A: 'b' } })
    return { same: before === (await files()), shells: before.includes('/bin/sh') }
  },
}
