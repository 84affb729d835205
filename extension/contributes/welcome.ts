/** What the Objects view says while it has no rows. VS Code paints a line with only a link as a button. */
import { contextKeys, type StateKey } from './keys.ts'

const WELCOME: Readonly<Partial<Record<StateKey, string>>> = {
  none: 'There is no wrangler config in this folder, so there are no containers to run.\n[Open Walkthrough](command:moorage.openWalkthrough)',
  'no-containers':
    'This Worker has no containers. Moorage shows those of classes that its config names in `containers`.\n[Open Wrangler Config](command:moorage.openConfig)',
  stopped:
    'This folder has a Worker with containers. Nothing is running yet.\n[$(play) Start Containers](command:moorage.start)\n[Open wrangler config](command:moorage.openConfig) · [Walkthrough](command:moorage.openWalkthrough)\nThe first start builds the images, which can take some minutes. Later starts take about 3 seconds.',
  starting: 'Starting…\n[Show log](command:moorage.showLog) · [Cancel](command:moorage.stop)',
  'not-installed':
    "The project's dependencies are not installed: there is no wrangler in node_modules.\n[Install Dependencies](command:moorage.installDependencies)\n[Try again](command:moorage.start) · [Show log](command:moorage.showLog)",
  'old-wrangler':
    "The project's wrangler is too old for containers that run here: 4.40 is the first that will do.\n[Install Newest Wrangler](command:moorage.installDependencies)\n[Try again](command:moorage.start) · [Show log](command:moorage.showLog)",
  'no-engine':
    '$(error) No container engine answers.\n[$(play) Start Container Engine](command:moorage.startEngine)\n[Choose engine…](command:moorage.chooseEngine) · [Retry](command:moorage.start) · [Show what was tried](command:moorage.showTried)\nMoorage goes on by itself as soon as Docker, Podman, Colima, OrbStack or Rancher Desktop answers.',
  failed:
    'The session did not start, or cannot go on.\n[Try Again](command:moorage.start)\n[Show log](command:moorage.showLog) · [Open wrangler config](command:moorage.openConfig)',
}

/** As [when, contents] pairs. */
export const welcomes: readonly (readonly [string, string])[] = Object.entries(WELCOME).map(([state, contents]) => [
  `${contextKeys.state} == ${state}`,
  contents,
])
