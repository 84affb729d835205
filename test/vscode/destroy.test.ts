import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { copyFixture } from '../support/session.ts'
import { Person } from './rig/person.ts'

describe('destroying a container', () => {
  // VS Code shows no dialog to anyone while a suite runs in it, so nobody looks from inside.
  it('asks first, and not any more once it was told so', async () => {
    await using project = await copyFixture('desk')
    const port = await freePort()
    await using person = await Person.open(project.folder, { 'moorage.port': port }, { eyes: false })
    await person.start()
    await person.status.getByText('0 running').waitFor({ timeout: 60_000 })
    for (const name of ['carol', 'dave']) assert.equal((await fetch(`http://127.0.0.1:${port}/${name}/x`)).status, 200)
    await person.chooses(/^Object carol: running/, 'Destroy…')
    const dialog = person.page.locator('.monaco-dialog-box')
    await dialog.getByText('Destroy the container of carol?').waitFor()
    await person.picture('destroy-dark')
    await dialog.getByRole('button', { name: "Destroy, and Don't Ask Again" }).click()
    await person.row(/^Object carol: stopped, just now, destroyed/).waitFor()
    await person.row(/^Object dave: running/).click()
    await person.page.keyboard.press('Shift+Delete')
    await person.row(/^Object dave: stopped, just now, destroyed/).waitFor()
    assert.equal(await dialog.count(), 0)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
