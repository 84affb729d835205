import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { copyFixture } from '../support/session.ts'
import { Person } from './rig/person.ts'
import { stepsIn } from './rig/steps.ts'

describe('inside a container', () => {
  const step = stepsIn(async (stack) => {
    const project = stack.use(await copyFixture('desk'))
    return Person.open(project.folder)
  })

  step('the button of the empty view starts a session', async (person) => {
    await person.sidebar.getByText('Nothing is running yet.').waitFor()
    await person.starts()
    assert.equal(await person.sees('tree', /^Desk$/), 'Desk')
  })

  step('an object that is asked appears, and opens', async (person) => {
    assert.equal(await person.asks('/alice/x'), 200)
    await person.sees('tree', /alice · running.* · \d+ % · \d+ MB/)
    await person.sees('tree', /8080 · http/)
    await person.expands(/^Object alice/)
    await person.row(/^Port 8080/).waitFor()
    await person.picture('alice-dark')
  })

  step("a shell opens by the row's icon, and calculates", async (person) => {
    await person.presses(/^Object alice/, 'Open Shell')
    await person.reads(/[#$]$/)
    await person.types('echo $((6*7))')
    assert.match(await person.reads(/^42$/m), /echo \$\(\(6\*7\)\)\n42\n/)
    await person.sees('tree', /sh · pid \d+ · \d+s · you/)
    await person.picture('shell-dark')
  })

  step('a path in it opens the file of the container, read-only', async (person) => {
    await person.types('echo /srv/desk/server.mjs:4')
    await person.reads(/^\/srv\/desk\/server\.mjs:4$/m)
    await person.followsLink(/^\/srv\/desk\/server/)
    await person.sees('editor', /^moorage-file:\/srv\/desk\/server\.mjs:4, read-only$/)
    await person.picture('file-of-container-dark')
  })

  step('its tab says the exit code', async (person) => {
    await person.page.locator('.terminal-wrapper.active').click()
    await person.types('exit 3')
    await person.reads(/ended: exit 3\.\s+Press any key to close this terminal\./)
    await person.page
      .locator('.pane-body, .tabs-container, .terminal-tabs-entry, .single-terminal-tab')
      .filter({ hasText: /exit 3/ })
      .first()
      .waitFor()
    await person.picture('shell-ended-dark')
    await person.page.keyboard.press('Enter')
  })

  step('a process that the Worker has started shows its output from the beginning', async (person) => {
    assert.equal(await person.asks('/alice/work'), 200)
    await person.row(/^Process node work\.mjs/).click()
    const text = await person.reads(/server\.mjs:4:7/)
    assert.match(text, /^node work\.mjs\nread-only: stdin is closed\nwork begins\nwritten in/)
    await person.picture('attached-dark')
  })

  step('lenses over the class and over a literal exec do what they say', async (person) => {
    await person.chooses(/^Object alice/, 'Go to Class')
    await person.sees('editor', /index\.ts:11$/)
    await person.page.locator('.editor-instance .view-lines').last().click()
    const lenses = person.page.locator('.codelens-decoration')
    await lenses.filter({ hasText: '1 of 1 running' }).waitFor()
    const lens = (await lenses.first().textContent()) ?? ''
    assert.match(lens.replaceAll('\u00a0', ' '), /1 of 1 running.*Open shell.*Logs/)
    await person.picture('lenses-dark')
    await lenses.getByText('Run this in…').click()
    await person.reads(/^work begins/m)
    await person.picture('run-this-dark')
  })
})
