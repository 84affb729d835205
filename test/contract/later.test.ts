import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

/** They follow in issues of their own; these tests go when they do. */
const LATER = ['interceptOutboundHttp', 'interceptAllOutboundHttp', 'interceptOutboundHttps', 'snapshotContainer']

about('what is not there yet', 'later', (ask) => {
  for (const method of LATER) {
    it(`${method}() rejects with an Error that says so`, async () => {
      const { rejected } = await ask(method)
      assert.equal(rejected?.name, 'Error')
      assert.match(rejected.message, new RegExp(`${method}.*not`, 'i'))
    })
  }
})
