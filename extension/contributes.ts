/**
 * Everything that the extension adds to VS Code, as one table: package.json is written from it (`npm run manifest`), the check
 * compares the two, and code takes ids from here. Imports nothing.
 */

/** Context keys that the extension sets. */
export const contextKeys = {
  /** The workspace has a wrangler config. */
  hasProject: 'moorage.hasProject',
  /** `stopped`, `starting` or `running`. */
  state: 'moorage.state',
} as const

/** What `contextKeys.state` may be. */
export type StateKey = 'stopped' | 'starting' | 'running'

/** Views of the Moorage container in the activity bar. */
export const views = { objects: 'moorage.objects' } as const

/** Names that a project's config may have, the one that wrangler takes first in front. */
export const CONFIG_FILES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'] as const

const canStart = `${contextKeys.hasProject} && ${contextKeys.state} == stopped`
const canStop = `${contextKeys.state} != stopped`

interface Command {
  readonly title: string
  readonly icon: string
  /** Where the palette and the title of the view offer it. */
  readonly when: string
}

/** Commands, and what the palette shows. */
export const commands = {
  'moorage.start': { title: 'Start Containers', icon: '$(play)', when: canStart },
  'moorage.stop': { title: 'Stop Containers', icon: '$(debug-stop)', when: canStop },
} as const satisfies Record<string, Command>

export type CommandId = keyof typeof commands

const commandList = Object.entries<Command>(commands).map(([command, rest]) => ({ command, ...rest }))

/** Settings: `moorage.<name>`. */
export const settings = {
  buildArgs: {
    type: 'object',
    additionalProperties: { type: 'string' },
    default: {},
    markdownDescription: 'Build arguments for every image of the project, in front of `image_vars` of its config.',
  },
  env: {
    type: 'string',
    default: '',
    markdownDescription: 'The environment of the wrangler config to run; empty: the one without a name.',
  },
  port: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 65535,
    markdownDescription: 'The port that the Worker is served at; 0: any that is free.',
  },
  limits: {
    type: 'boolean',
    default: true,
    markdownDescription: 'Limit CPU, memory and the number of containers as in production.',
  },
  engine: {
    type: 'string',
    default: '',
    markdownDescription: 'Address of the container engine, as in `DOCKER_HOST`; empty: the one that is found.',
    scope: 'machine',
  },
  node: {
    type: 'string',
    default: '',
    markdownDescription: "Path of a Node 22.12 or newer that runs the project's wrangler; empty: VS Code's own.",
    scope: 'machine',
  },
} as const

export type SettingName = keyof typeof settings

/** The parts of package.json that are written from this table. */
export const manifest = {
  activationEvents: CONFIG_FILES.flatMap((name) => [`workspaceContains:${name}`, `workspaceContains:*/${name}`]),
  contributes: {
    viewsContainers: {
      activitybar: [{ id: 'moorage', title: 'Moorage', icon: 'extension/media/moorage.svg' }],
    },
    views: {
      moorage: [
        { id: views.objects, name: 'Objects', icon: 'extension/media/moorage.svg', contextualTitle: 'Moorage' },
      ],
    },
    viewsWelcome: [
      {
        view: views.objects,
        when: canStart,
        contents:
          'This folder has a Worker with containers. Nothing is running yet.\n[Start Containers](command:moorage.start)',
      },
      {
        view: views.objects,
        when: `!${contextKeys.hasProject}`,
        contents: 'There is no wrangler config in this folder, so there are no containers to run.',
      },
    ],
    commands: commandList.map(({ command, title, icon }) => ({ command, title, category: 'Moorage', icon })),
    menus: {
      commandPalette: commandList.map(({ command, when }) => ({ command, when })),
      'view/title': commandList.map(({ command, when }) => ({
        command,
        when: `view == ${views.objects} && ${when}`,
        group: 'navigation',
      })),
    },
    configuration: {
      title: 'Moorage',
      properties: Object.fromEntries(Object.entries(settings).map(([name, schema]) => [`moorage.${name}`, schema])),
    },
  },
}
