/** Settings: `moorage.<name>`, at most twelve. Imports nothing. */

export const settings = {
  autoStart: {
    type: 'boolean',
    default: false,
    markdownDescription: 'Start the containers of a folder when it is opened and its images are built.',
    scope: 'resource',
  },
  env: {
    type: 'string',
    default: '',
    markdownDescription: 'The environment of the wrangler config to run; empty: the one without a name.',
    scope: 'resource',
  },
  port: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 65535,
    markdownDescription: 'The port that the Worker is served at; 0: any that is free.',
    scope: 'resource',
  },
  limits: {
    type: 'boolean',
    default: true,
    markdownDescription: 'Limit CPU, memory and the number of containers as in production.',
    scope: 'resource',
  },
  buildArgs: {
    type: 'object',
    additionalProperties: { type: 'string' },
    default: {},
    markdownDescription: 'Build arguments for every image of the project, in front of `image_vars` of its config.',
    scope: 'resource',
  },
  confirmDestroy: {
    type: 'boolean',
    default: true,
    markdownDescription: 'Ask before a container is destroyed.',
    scope: 'window',
  },
  logTimestamps: {
    type: 'boolean',
    default: false,
    markdownDescription: 'Show the time of each line in logs.',
    scope: 'window',
  },
  shell: {
    type: 'string',
    default: '',
    markdownDescription:
      'The shell that terminals open in containers; empty: bash, else sh, else a busybox put beside the app.',
    scope: 'resource',
  },
  busybox: {
    type: 'string',
    default: '',
    markdownDescription:
      'Where a shell comes from for images that have none: an image with `/bin/busybox`, or the path of a static busybox; empty: `busybox:musl`.',
    scope: 'machine',
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
