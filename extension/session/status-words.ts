/** What the status bar says. No VS Code here. */
import * as l10n from '@vscode/l10n'
import type { SessionModel } from '../../runtime/index.ts'
import type { StateKey } from '../contributes/keys.ts'

/** What the status bar says of the window's sessions. */
export interface Status {
  readonly text: string
  readonly background?: 'error' | 'warning'
  /** A command, which `showsLog` opens where it explains. */
  readonly command: string
  /** A sentence for who does not see it. */
  readonly spoken: string
}

/** The first that applies, in the order of their need. */
export function statusOf(state: StateKey, models: readonly SessionModel[]): Status {
  if (state === 'no-engine') return failure(l10n.t('no engine'), 'moorage.objects.focus')
  if (models.some(({ engine }) => engine.state === 'lost')) return failure(l10n.t('engine lost'), 'moorage.showLog')
  if (models.some(({ classes }) => classes.some(({ image }) => image.state === 'failed'))) {
    return failure(l10n.t('image failed'), 'moorage.objects.focus')
  }
  if (models.some(({ projects }) => projects.some(({ worker }) => worker.state === 'failed'))) {
    return failure(l10n.t('Worker failed'), 'workbench.actions.view.problems')
  }
  if (state === 'failed' || state === 'not-installed' || state === 'old-wrangler') {
    return failure(l10n.t('not started'), 'moorage.objects.focus')
  }
  return busy(state, models) ?? resting(state, models)
}

function failure(what: string, command: string): Status {
  const spoken = `Moorage: ${what}`
  return { text: `$(error) ${spoken}`, background: 'error', command, spoken }
}

function busy(state: StateKey, models: readonly SessionModel[]): Status | undefined {
  const spinning = (what: string, command: string): Status => ({
    text: `$(loading~spin) Moorage: ${what}`,
    command,
    spoken: `Moorage: ${what}`,
  })
  for (const { image } of models.flatMap(({ classes }) => classes)) {
    if (image.state !== 'preparing') continue
    const { step, steps } = image
    const far = step === undefined || steps === undefined ? '' : ` ${step}/${steps}`
    return spinning(`${image.how === 'build' ? l10n.t('image') : l10n.t('pulling')}${far}`, 'moorage.showBuild')
  }
  if (state === 'starting') return spinning(l10n.t('starting'), 'moorage.showLog')
  const reloads = models.some(({ projects }) => projects.some(({ worker }) => worker.state === 'reloading'))
  return reloads ? spinning(l10n.t('reloading'), 'moorage.showLog') : undefined
}

function resting(state: StateKey, models: readonly SessionModel[]): Status {
  if (state !== 'running')
    return { text: '$(vm-outline) Moorage', command: 'moorage.menu', spoken: l10n.t('Moorage: not started') }
  const objects = models.flatMap((model) => model.objects)
  const count = (state: string): number => objects.filter(({ container }) => container.state === state).length
  const [running, failed] = [count('running'), count('failed')]
  const shown = `$(vm-running) ${l10n.t('{0} running', running)}`
  const one = running === 1 ? l10n.t('1 container running') : l10n.t('{0} containers running', running)
  return {
    text: failed === 0 ? shown : `${shown}  $(error) ${failed}`,
    command: 'moorage.objects.focus',
    spoken: `Moorage: ${failed === 0 ? one : l10n.t('{0}, {1} failed', one, failed)}`,
  }
}
