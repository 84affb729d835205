/** What the extension adds to VS Code can be found, read aloud, and reached by keyboard. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { root } from '../../support/root.mjs'

const json = async (name: string) => JSON.parse(await readFile(join(root, name), 'utf8'))
const { contributes, icon, engines, devDependencies } = await json('package.json')
const texts: Record<string, string> = await json('package.nls.json')

interface Command {
  readonly command: string
  readonly title: string
  readonly category?: string
  readonly icon?: string
}
interface Item {
  readonly command: string
  readonly when?: string
  readonly group?: string
}
const commands: readonly Command[] = contributes.commands
const menus: Readonly<Record<string, readonly Item[]>> = contributes.menus
const titleOf = (title: string) => texts[title.slice(1, -1)]
const inPalette = ({ command }: Command) =>
  menus.commandPalette?.some((item) => item.command === command && item.when !== 'false')

describe('commands', () => {
  it('have each a title and the category', () => {
    assert.deepEqual(
      commands.filter(({ title, category }) => titleOf(title) === undefined || category !== 'Moorage'),
      [],
    )
  })
  it('are told apart by their titles in the palette', () => {
    const titles = commands.filter(inPalette).map(({ title }) => titleOf(title))
    assert.deepEqual(titles, [...new Set(titles)])
  })
  it('have an icon where only that shows', () => {
    const shown = [...(menus['view/title'] ?? []), ...(menus['view/item/context'] ?? [])]
    const onlyIcon = shown.filter(({ group }) => group?.startsWith('inline') || group?.startsWith('navigation'))
    const without = onlyIcon.filter((item) => commands.find((one) => one.command === item.command)?.icon === undefined)
    assert.deepEqual(without, [])
  })
  it('that a row shows on hover are in its menu too, which keys open', () => {
    const items = menus['view/item/context'] ?? []
    const hidden = items
      .filter(({ group }) => group?.startsWith('inline'))
      .filter(({ command, when }) => {
        const same = (one: Item) => one.command === command && !one.group?.startsWith('inline')
        return !items.some((one) => same(one) && one.when === when) && !items.some(same)
      })
    assert.deepEqual(hidden, [])
  })
  it('are at most three on hover of a row', () => {
    const items = (menus['view/item/context'] ?? []).filter(({ group }) => group?.startsWith('inline'))
    assert.deepEqual([...new Set(items.map(({ group }) => group))].sort(), ['inline@1', 'inline@2', 'inline@3'])
  })
})

describe('keys', () => {
  it('are those of the design, and only while the view has the focus', () => {
    const lines = contributes.keybindings.map(
      ({ command, key, mac, when }: Item & { key: string; mac?: string }) =>
        `${key} (${mac ?? key}): ${command}${when === 'focusedView == moorage.objects && !inputFocus' ? '' : ` when ${when}`}`,
    )
    assert.deepEqual(lines.sort(), [
      'ctrl+c (cmd+c): moorage.copyId',
      'ctrl+enter (cmd+enter): moorage.openShell',
      'ctrl+f (cmd+f): moorage.filter',
      'delete (cmd+backspace): moorage.stopContainer',
      'f12 (f12): moorage.revealClass',
      'shift+delete (cmd+shift+backspace): moorage.destroyContainer',
    ])
  })
})

describe('views, settings and pictures', () => {
  it('views have a name that is read aloud', () => {
    for (const { name } of contributes.views.moorage) assert.ok(titleOf(name))
  })
  it('settings are at most twelve, each with a text, a default and a scope', () => {
    const all = Object.entries<Record<string, unknown>>(contributes.configuration.properties)
    assert.ok(all.length <= 12)
    assert.deepEqual(
      all.filter(([, one]) => !titleOf(String(one.markdownDescription)) || !('default' in one) || !one.scope),
      [],
    )
  })
  it('the icon is a PNG of 128 x 128', async () => {
    const bytes = await readFile(join(root, icon))
    assert.deepEqual(
      [bytes.toString('latin1', 1, 4), bytes.readUInt32BE(16), bytes.readUInt32BE(20)],
      ['PNG', 128, 128],
    )
  })
  it('pictures of the walkthrough are there, each with words for who does not see it', async () => {
    for (const { media } of contributes.walkthroughs[0].steps) {
      const text = await readFile(join(root, media.markdown), 'utf8')
      const [, words, file] = /!\[([^\]]+)\]\(([^)]+)\)/.exec(text) ?? []
      assert.ok(words)
      assert.ok(existsSync(join(root, media.markdown, '..', file ?? '')))
    }
  })
  it('types are those of the oldest VS Code that it runs in', () => {
    assert.equal(engines.vscode, `^${devDependencies['@types/vscode']}`)
  })
})
