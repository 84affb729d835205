import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about('inspect', 'inspect', (ask) => {
  it('is null where the container is not running', async () => {
    assert.deepEqual(await ask('notRunning'), { resolved: null })
  })

  it('tells the labels and the image of a running container', async () => {
    assert.deepEqual(await ask('running'), {
      labels: { app: 'contract', 'tenant-id': 'Zoë' },
      image: 'string',
      empty: false,
    })
  })

  it('tells no labels where start() was given none', async () => {
    assert.deepEqual(await ask('withoutLabels'), {})
  })

  it('is null after the end', async () => {
    assert.deepEqual(await ask('afterTheEnd'), { resolved: null })
  })
})

about('images', 'inspect', (ask) => {
  it('is empty where the config names none', async () => {
    assert.deepEqual(await ask('images'), {})
  })
})

about('methods under the experimental flag', 'inspect', (ask) => {
  it('are not there without it', async () => {
    assert.deepEqual(await ask('experimental'), [])
  })
})
