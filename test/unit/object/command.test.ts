import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ImageCommand, rootCommand } from '../../../runtime/object/command.ts'

const IMAGE: ImageCommand = {
  entrypoint: ['tini', '--'],
  cmd: ['node', 'server.js'],
  env: ['PATH=/bin', 'A=1=2', 'EMPTY=', '=odd', 'nothing'],
  user: 'node',
  workingDir: '/app',
}
const OBJECT = { id: 'c0ffee', project: 'quotes' }
const PLATFORM = {
  CLOUDFLARE_APPLICATION_ID: 'local-quotes',
  CLOUDFLARE_DEPLOYMENT_ID: 'local',
  CLOUDFLARE_COUNTRY_A2: 'XX',
  CLOUDFLARE_LOCATION: 'local',
  CLOUDFLARE_REGION: 'LOCAL',
  CLOUDFLARE_DURABLE_OBJECT_ID: 'c0ffee',
}

describe('the command of PID 1', () => {
  it('is the image’s own', () => {
    assert.deepEqual(rootCommand(IMAGE, {}, OBJECT), {
      argv: ['tini', '--', 'node', 'server.js'],
      env: { PATH: '/bin', A: '1=2', EMPTY: '', ...PLATFORM },
      cwd: '/app',
      user: 'node',
    })
  })

  it('keeps the image’s ENTRYPOINT where start() has an entrypoint: it replaces CMD', () => {
    const { argv } = rootCommand(IMAGE, { entrypoint: ['sh', '-c', 'true'] }, OBJECT)
    assert.deepEqual(argv, ['tini', '--', 'sh', '-c', 'true'])
  })

  it('has no arguments where start() gives none', () => {
    assert.deepEqual(rootCommand(IMAGE, { entrypoint: [] }, OBJECT).argv, ['tini', '--'])
  })

  it('lets start() override the image, and nobody the platform', () => {
    const { env } = rootCommand(IMAGE, { env: { A: '3', CLOUDFLARE_REGION: 'mine', 'odd name': 'x' } }, OBJECT)
    assert.deepEqual(env, { PATH: '/bin', A: '3', EMPTY: '', 'odd name': 'x', ...PLATFORM })
  })

  it('runs in / where the image names no folder', () => {
    assert.equal(rootCommand({ ...IMAGE, workingDir: '' }, {}, OBJECT).cwd, '/')
  })
})
