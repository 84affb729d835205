import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about('the environment', 'environment', (ask) => {
  it('has what the image sets', async () => {
    assert.equal(await ask('fromTheImage'), 'image')
  })

  it('has what start({env}) gives, over the image’s', async () => {
    assert.deepEqual(await ask('fromStart'), {
      OVERRIDDEN: 'start',
      EMPTY: '',
      SPACED: ' a b ',
      LINES: 'one\ntwo',
      EQUALS: 'a=b=c',
      UNICODE: 'naïve ✓',
    })
  })

  it('has the platform’s variables', async () => {
    assert.deepEqual(await ask('cloudflare'), [
      'CLOUDFLARE_APPLICATION_ID',
      'CLOUDFLARE_COUNTRY_A2',
      'CLOUDFLARE_DEPLOYMENT_ID',
      'CLOUDFLARE_DURABLE_OBJECT_ID',
      'CLOUDFLARE_LOCATION',
      'CLOUDFLARE_REGION',
    ])
  })

  it('has the real id of the object', async () => {
    assert.equal(await ask('objectId'), true)
  })

  it('keeps the platform’s variables whatever start({env}) says', async () => {
    assert.deepEqual(await ask('cannotBeOverridden'), { id: true, region: true })
  })
})

about('the Worker’s own environment', 'environment', (ask) => {
  it('has the bindings of the config and no other', async () => {
    const classes = ['Bare', 'Early', 'Few', 'Hooked', 'HookedFew', 'Plain', 'Scratch', 'WithEntrypoint']
    assert.deepEqual(await ask('bindings'), classes)
  })
})
