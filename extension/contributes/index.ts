/**
 * Everything that the extension adds to VS Code, as one table: `npm run manifest` writes package.json and package.nls.json from
 * it, and the check compares them. Texts stand here in English; in package.json they are keys. Imports only its parts.
 */
import { type Command, commandList, paletteWhen } from './commands.ts'
import { CONFIG_FILES, TERMINAL_PROFILE, views } from './keys.ts'
import { settings } from './settings.ts'
import { walkthroughs } from './walkthrough.ts'
import { welcomes } from './welcome.ts'

const texts: Record<string, string> = {}

/** The key of a text in package.json. */
function nls(key: string, text: string): string {
  texts[key] = text
  return `%${key}%`
}

const icon = 'extension/media/moorage.svg'

const itemMenu = commandList.flatMap(([command, { row = [] }]) =>
  row.map(({ item, group }) => ({
    command,
    // Words of a viewItem stand between spaces, so that one is never found within another.
    when: `view == ${views.objects} && viewItem =~ / ${item} /`,
    group,
  })),
)

const contributes = {
  viewsContainers: { activitybar: [{ id: 'moorage', title: 'Moorage', icon }] },
  views: {
    moorage: [{ id: views.objects, name: nls('view.objects', 'Objects'), icon, contextualTitle: 'Moorage' }],
  },
  viewsWelcome: welcomes.map(([when, contents], index) => ({
    view: views.objects,
    when,
    contents: nls(`welcome.${index}`, contents),
  })),
  commands: commandList.map(([command, { title, icon }]) => ({
    command,
    title: nls(command.replace('moorage.', 'command.'), title),
    category: 'Moorage',
    ...(icon === undefined ? {} : { icon }),
  })),
  menus: {
    commandPalette: commandList.map(([command, rest]) => ({ command, when: paletteWhen(rest) })),
    'view/title': commandList.flatMap(([command, { viewTitle }]) =>
      viewTitle === undefined
        ? []
        : [{ command, when: `view == ${views.objects} && ${viewTitle.when}`, group: viewTitle.group }],
    ),
    'view/item/context': itemMenu,
  },
  keybindings: commandList.flatMap(([command, { key }]: [string, Command]) =>
    key === undefined ? [] : [{ command, ...key }],
  ),
  configuration: {
    title: 'Moorage',
    properties: Object.fromEntries(
      Object.entries(settings).map(([name, { markdownDescription, ...schema }]) => [
        `moorage.${name}`,
        { ...schema, markdownDescription: nls(`setting.${name}`, markdownDescription) },
      ]),
    ),
  },
  terminal: {
    profiles: [{ id: TERMINAL_PROFILE, title: nls('terminal.profile', 'Container Shell'), icon }],
  },
  walkthroughs: walkthroughs(nls),
}

/** The parts of package.json that are written from this table. */
export const manifest = {
  description: nls('description', 'Run, see and debug the containers of your Durable Objects, on your machine.'),
  activationEvents: CONFIG_FILES.flatMap((name) => [`workspaceContains:${name}`, `workspaceContains:*/${name}`]),
  contributes,
}

/** package.nls.json. */
export const manifestTexts: Readonly<Record<string, string>> = texts
