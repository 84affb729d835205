import { IDLE } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

/** What is not there yet must say so. */
export const later: Sentences = {
  interceptOutboundHttp: (o) => outcome(() => o.container.interceptOutboundHttp('example.com', o as never)),
  interceptAllOutboundHttp: (o) => outcome(() => o.container.interceptAllOutboundHttp(o as never)),
  interceptOutboundHttps: (o) => outcome(() => o.container.interceptOutboundHttps('example.com', o as never)),
  snapshotContainer: (o) => {
    o.container.start({ entrypoint: IDLE })
    return outcome(() => o.container.snapshotContainer())
  },
}
