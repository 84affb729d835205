import assert from 'node:assert/strict'
import { it } from 'node:test'
import { statusOf } from '../../../../extension/session/status-words.ts'
import type { ContainerState, ImageState, SessionModel, WorkerState } from '../../../../runtime/protocol/model.ts'

function model(parts: {
  readonly image?: ImageState
  readonly worker?: WorkerState
  readonly containers?: readonly ContainerState['state'][]
  readonly engine?: SessionModel['engine']
}): SessionModel {
  const { image = { state: 'unknown' }, worker = { state: 'starting' }, containers = [], engine } = parts
  return {
    engine: engine ?? { state: 'connecting' },
    projects: [{ name: 'p', worker }],
    classes: [{ className: 'Sandbox', image }],
    objects: containers.map((state) => ({ container: { state } })),
  } as never
}

const preparing = { state: 'preparing', how: 'build', since: 0, step: 5, steps: 7, text: '' } as const
const failedImage = { state: 'failed', message: '', lastOutput: [], advice: [] } as const

it('the status bar says the first that applies', () => {
  const text = (...args: Parameters<typeof statusOf>) => statusOf(...args).text
  assert.equal(text('no-engine', []), '$(error) Moorage: no engine')
  assert.equal(text('running', [model({ engine: { state: 'lost', message: '' } })]), '$(error) Moorage: engine lost')
  assert.equal(text('running', [model({ image: failedImage })]), '$(error) Moorage: image failed')
  assert.equal(
    text('running', [model({ worker: { state: 'failed', message: '', serving: true } })]),
    '$(error) Moorage: Worker failed',
  )
  assert.equal(text('running', [model({ image: preparing })]), '$(loading~spin) Moorage: image 5/7')
  assert.equal(text('starting', []), '$(loading~spin) Moorage: starting')
  assert.equal(text('running', [model({ worker: { state: 'reloading' } })]), '$(loading~spin) Moorage: reloading')
  const three = ['running', 'running', 'running', 'stopped'] as const
  assert.equal(text('running', [model({ containers: three })]), '$(vm-running) 3 running')
  assert.equal(text('running', [model({ containers: [...three, 'failed'] })]), '$(vm-running) 3 running  $(error) 1')
  assert.equal(text('stopped', []), '$(vm-outline) Moorage')
})

it('and says it as a sentence', () => {
  const spoken = (...containers: ContainerState['state'][]) => statusOf('running', [model({ containers })]).spoken
  assert.equal(spoken('running', 'running', 'failed'), 'Moorage: 2 containers running, 1 failed')
  assert.equal(spoken('running'), 'Moorage: 1 container running')
})

it('errors have a background', () => {
  assert.equal(statusOf('no-engine', []).background, 'error')
  assert.equal(statusOf('running', [model({ containers: ['failed'] })]).background, undefined)
})
