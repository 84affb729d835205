// A class whose image is a reference, of an image that the engine has: nobody needs an account for that.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { docker } from '../../support/left.ts'
import { BUILD_ARGS, run } from '../../support/session.ts'

const REFERENCE = 'moorage-test.local/reference:1'

describe('an image reference', () => {
  it('is used as it is where the engine has the image, without a login to Cloudflare', async () => {
    await docker(['tag', BUILD_ARGS.BASE ?? 'node:22-alpine', REFERENCE])
    try {
      await using running = await run('box', {}, async (folder) => {
        const config = join(folder, 'wrangler.jsonc')
        const text = await readFile(config, 'utf8')
        await writeFile(config, text.replace('./container/crate.Dockerfile', REFERENCE))
      })
      const crate = running.box('one', 'Crate')
      await crate.do('begin', {
        entrypoint: ['node', '-e', 'console.log(process.version); setInterval(() => {}, 1000)'],
      })
      await running.events.next(
        'the container’s log',
        (event) => event.type === 'container-log' && event.text.startsWith('v'),
      )
      const image = running.session.model.classes.find(({ className }) => className === 'Crate')?.image
      assert.equal(image?.state === 'ready' && image.image, REFERENCE)
    } finally {
      await docker(['image', 'rm', REFERENCE])
    }
  })
})
