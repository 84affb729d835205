import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandsTable, settingsTable, withTable } from '../../support/check/tables.mjs'

const contributes = {
  configuration: { properties: { 'moorage.port': { default: 0, markdownDescription: '%setting.port%' } } },
  commands: [
    { command: 'moorage.stop', title: '%command.stop%' },
    { command: 'moorage.link', title: 'Link' },
  ],
  keybindings: [{ command: 'moorage.stop', key: 'shift+delete', mac: 'cmd+backspace' }],
  menus: {
    commandPalette: [
      { command: 'moorage.stop', when: 'moorage.state == running' },
      { command: 'moorage.link', when: 'false' },
    ],
    'view/title': [{ command: 'moorage.stop', when: 'view == moorage.objects' }],
    'view/item/context': [{ command: 'moorage.stop', when: 'view == moorage.objects && viewItem =~ / port /' }],
  },
}
const texts = { 'setting.port': 'The port.', 'command.stop': 'Stop' }

describe("README's tables", () => {
  it('list every setting with its default and text', () => {
    assert.equal(
      settingsTable(contributes, texts),
      '| setting | default | what |\n|---|---|---|\n| `moorage.port` | `0` | The port. |',
    )
  })
  it('list every command of the palette, where else it is, and its key', () => {
    assert.equal(
      commandsTable(contributes, texts),
      '| command | also in the menu of | key |\n|---|---|---|\n| Stop | the view, a port | `Shift+Delete`, `Cmd+Backspace` on a Mac |',
    )
  })
  it('stand between their marks', () => {
    const text = 'a\n<!-- t -->\nold\n<!-- /t -->\nb'
    const once = withTable(text, 't', 'new')
    assert.equal(once, 'a\n<!-- t -->\n\nnew\n\n<!-- /t -->\nb')
    assert.equal(withTable(once, 't', 'new'), once)
    assert.throws(() => withTable('a', 't', 'new'), /There is no <!-- t -->/)
  })
})
