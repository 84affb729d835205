import { IDLE } from '../plain.ts'
import { outcome, until } from '../tell.ts'
import type { Sentences } from './index.ts'

export const inspect: Sentences = {
  notRunning: (o) => outcome(() => o.container.inspect()),

  async running(o) {
    o.container.start({ entrypoint: IDLE, labels: { app: 'contract', 'tenant-id': 'Zoë' } } as ContainerStartupOptions)
    const info = await o.container.inspect()
    return { labels: info?.labels, image: typeof info?.image, empty: info?.image === '' }
  },

  async withoutLabels(o) {
    o.container.start({ entrypoint: IDLE })
    return (await o.container.inspect())?.labels
  },

  async afterTheEnd(o) {
    o.container.start({ entrypoint: ['sh', '-c', 'exit 0'] })
    await until('it has ended', () => !o.container.running)
    return outcome(() => o.container.inspect())
  },

  images: (o) => o.container.images,

  experimental: (o) =>
    ['setLabels', 'interceptOutboundTcp', 'snapshotDirectory'].filter((method) => method in o.container),
}
