import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'node:test'
import { copyFixture } from '../support/session.ts'
import { Person } from './rig/person.ts'
import { stepsIn } from './rig/steps.ts'

let folder: string

/** Changes a file of the project, as an editor outside of the window would. */
async function edit(name: string, from: string, to: string): Promise<void> {
  const file = join(folder, name)
  const text = await readFile(file, 'utf8')
  assert(text.includes(from), `${name} has no ${from}`)
  await writeFile(file, text.replace(from, to))
}

describe('what goes wrong is told where it is', () => {
  const step = stepsIn(async (stack) => {
    const project = stack.use(await copyFixture('desk'))
    folder = project.folder
    return Person.open(folder)
  })

  step('a build that fails is a row, a problem at its line, and a notification that leads there', async (person) => {
    await person.starts()
    assert.equal(await person.asks('/alice/x'), 200)
    await edit('container/Dockerfile', 'RUN node --check server.mjs', 'RUN false')
    assert.match(
      await person.sees('tree', /image failed/),
      /^Desk · image failed · 1 of 1 running\n {2}false · exit 1 · Dockerfile:5\n {2}alice · running · previous image/,
    )
    assert.match(
      await person.sees('problems', /./),
      /^container\/Dockerfile:5:1 Moorage: The image of Desk failed: "false" exited with 1\.$/,
    )
    await person.status.getByText('Moorage: image failed').waitFor()
    const told = await person.notified(/Image for Desk failed: "false" exited with 1/)
    await person.picture('build-failed-notification-dark')
    await told.getByRole('button', { name: 'Go to Line' }).click()
    await person.sees('editor', /^file:.*\/container\/Dockerfile:5$/)
  })

  step('its log opens on demand', async (person) => {
    await person.chooses(/^The image failed/, 'Show Image Build')
    await person.reads(
      /^Failed container\/Dockerfile:5: "false" exited with 1\. Running objects keep the previous image\.$/m,
    )
    await person.picture('build-failed-dark')
  })

  step('mended, the image is built anew and the problem is gone', async (person) => {
    await edit('container/Dockerfile', 'RUN false', 'RUN true')
    await person.sees('problems', /^$/)
    await person.sees('tree', /^Desk · \d of 1 running/)
    await person.status.getByText(/\d running/).waitFor()
  })

  step('a Worker that cannot be read has its problem at the place', async (person) => {
    await edit('src/index.ts', 'async work()', 'async work(')
    assert.match(await person.sees('problems', /./), /^src\/index\.ts:\d+:\d+ Moorage: .+$/)
    await person.status.getByText('Moorage: Worker failed').waitFor()
    await person.picture('worker-failed-dark')
    await edit('src/index.ts', 'async work(', 'async work()')
    await person.sees('problems', /^$/)
  })

  step('a container without memory says so in its row and its tooltip', async (person) => {
    assert.equal(await person.asks('/eve/x'), 200)
    await person.asks('/eve/fill')
    await person.sees('tree', /eve · exit 137 · just now · out of memory/)
    await person.rests(/^Object eve/, 'asked for /fill')
    await person.picture('out-of-memory-tooltip-dark')
    await person.page.keyboard.press('Escape')
  })

  step('a card says why, and its button leads to the memory', async (person) => {
    await person.presses(/^Object eve: exit 137/, 'Why Did It Stop?')
    const card = person.page.frameLocator('iframe.webview').last().frameLocator('iframe')
    await card.getByText('out of memory: the kernel ended it at the limit').waitFor()
    await card.getByText('asked for /fill').waitFor()
    await person.picture('why-dark')
    await card.getByRole('button', { name: 'Raise the Memory' }).click()
    await person.sees('editor', /wrangler\.jsonc:9$/)
  })
})
