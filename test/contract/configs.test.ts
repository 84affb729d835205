import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Served, serve } from '../support/contract/session.ts'

// These need a session of their own: two Workers, each with a config of its own kind.
const skip = process.env.MOORAGE_CONTRACT_URL ? 'another implementation is tested' : false

describe('configs', { skip }, () => {
  let served: Served
  before(
    async () => {
      served = await serve('newer', 'older')
    },
    { timeout: 180_000 },
  )
  after(() => served?.[Symbol.asyncDispose]())

  async function newer(path: string): Promise<string> {
    const answer = await fetch(`${served.urls[0]}/${path}`)
    assert.equal(answer.status, 200, await answer.clone().text())
    return answer.text()
  }

  it('ties a class to its container by exports', async () => {
    assert.equal(await newer('Newer/a/which'), 'first')
  })

  it('gives the names of the config’s images in ctx.container.images', async () => {
    assert.equal(await newer('Several/a/names'), '["first","second"]')
    assert.equal(await newer('Newer/a/names'), '[]')
  })

  it('starts the image of ctx.container.images that start({image}) is given', async () => {
    assert.equal(await newer('Several/a/which?image=first'), 'first')
    assert.equal(await newer('Several/b/which?image=second'), 'second')
  })

  it('serves several Workers in one session', async () => {
    assert.equal(served.urls.length, 2)
    assert.equal(new Set(served.urls).size, 2)
  })

  it('throws where the compatibility date is before 2022-10-31, instead of giving a promise that rejects', async () => {
    const answer = await fetch(`${served.urls[1]}/`)
    assert.deepEqual(await answer.json(), { monitor: 'threw', setInactivityTimeout: 'threw', container: 'first' })
  })
})
