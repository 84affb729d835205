// README's tables of settings and commands: written from what the extension contributes, so that none is missing.

/**
 * @typedef {object} Contributes the parts of package.json's `contributes` that are told
 * @property {{ properties: Record<string, { default: unknown, markdownDescription: string }> }} configuration
 * @property {{ command: string, title: string }[]} commands
 * @property {{ command: string, key: string, mac?: string }[]} keybindings
 * @property {Record<string, { command: string, when?: string }[]>} menus
 */

/** What a row of the Objects view has to be for a command; words of its viewItem. @type {Record<string, string>} */
const ROWS = {
  'can:shell': 'an object that runs',
  'can:stop': 'an object that runs',
  'can:start': 'an object that does not run',
  'can:destroy': 'an object with a container',
  'can:logs': 'an object that has run',
  'can:why': 'an object that has ended',
  'can:alarm': 'an object with an alarm',
  'can:end': 'a process that runs',
  object: 'an object',
  class: 'a class',
  image: 'an image',
  'image-failure': 'an image that failed',
  port: 'a port',
  process: 'a process',
  alarm: 'an alarm',
}

/** @param {Contributes} contributes @param {Record<string, string>} texts package.nls.json */
export function settingsTable({ configuration }, texts) {
  const rows = Object.entries(configuration.properties).map(([name, setting]) => {
    const text = textOf(setting.markdownDescription, texts)
    return `| \`${name}\` | \`${JSON.stringify(setting.default)}\` | ${text} |`
  })
  return ['| setting | default | what |', '|---|---|---|', ...rows].join('\n')
}

/**
 * All that the palette or a menu offers. What only links and lenses call is left out.
 * @param {Contributes} contributes @param {Record<string, string>} texts package.nls.json
 */
export function commandsTable({ commands, keybindings, menus }, texts) {
  const inPalette = new Set((menus.commandPalette ?? []).filter(({ when }) => when !== 'false').map(idOf))
  const rows = commands
    .filter(({ command }) => inPalette.has(command))
    .map(({ command, title }) => {
      const key = keybindings.find((one) => one.command === command)
      return `| ${textOf(title, texts)} | ${placesOf(command, menus).join(', ')} | ${key === undefined ? '' : keysOf(key)} |`
    })
  return ['| command | also in the menu of | key |', '|---|---|---|', ...rows].join('\n')
}

/** @param {{ command: string }} one */
const idOf = ({ command }) => command

/** @param {string} command @param {Contributes['menus']} menus */
function placesOf(command, menus) {
  const inTitle = (menus['view/title'] ?? []).some((one) => one.command === command)
  const items = (menus['view/item/context'] ?? [])
    .filter((one) => one.command === command)
    .map(({ when }) => / viewItem =~ \/ (\S+) \//.exec(when ?? '')?.[1] ?? '')
  const rows = items.map((item) => {
    const words = ROWS[item]
    if (words === undefined) throw new Error(`test/support/check/tables.mjs has no words for rows with "${item}".`)
    return words
  })
  return [...new Set([...(inTitle ? ['the view'] : []), ...rows])]
}

/** @param {{ key: string, mac?: string }} key */
function keysOf({ key, mac }) {
  return [key, ...(mac === undefined ? [] : [`${mac} on a Mac`])].map(keyWords).join(', ')
}

/** `shift+delete` -> `Shift+Delete`. @param {string} key */
function keyWords(key) {
  const [first = '', ...rest] = key.split(' ')
  const named = first
    .split('+')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('+')
  return [`\`${named}\``, ...rest].join(' ')
}

/** @param {string} text @param {Record<string, string>} texts */
function textOf(text, texts) {
  return texts[text.slice(1, -1)] ?? text
}

/**
 * A document with a table put between its marks, `<!-- name -->` and `<!-- /name -->`.
 * @param {string} document @param {string} name @param {string} table
 * @throws an Error where it has no such marks
 */
export function withTable(document, name, table) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [document.indexOf(open), document.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`There is no ${open} … ${close}.`)
  return `${document.slice(0, from + open.length)}\n\n${table}\n\n${document.slice(to)}`
}
