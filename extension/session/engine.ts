/** What can be done where no engine answers. */
import * as vscode from 'vscode'
import { isMoorageError } from '../errors.ts'
import type { MoorageWindow } from '../window.ts'
import { stateOf } from './state.ts'

/** An engine that was started is looked for this often, in ms. */
const LOOK_MS = 3000

/** How an engine is started, by platform and what is installed: the first that is there. */
interface Way {
  readonly program: string
  readonly label: string
  readonly command: string
}

/** The ways on a platform, the usual one first. */
export function waysToStart(platform: NodeJS.Platform): readonly Way[] {
  if (platform === 'darwin') {
    return [
      { program: 'docker', label: 'Docker Desktop', command: 'open -a Docker' },
      { program: 'orb', label: 'OrbStack', command: 'orb start' },
      { program: 'colima', label: 'Colima', command: 'colima start' },
      { program: 'podman', label: 'Podman', command: 'podman machine start' },
    ]
  }
  if (platform === 'win32') {
    return [
      {
        program: 'docker',
        label: 'Docker Desktop',
        command: '& "$Env:ProgramFiles\\Docker\\Docker\\Docker Desktop.exe"',
      },
      { program: 'podman', label: 'Podman', command: 'podman machine start' },
    ]
  }
  return [
    { program: 'dockerd', label: 'Docker', command: 'sudo systemctl start docker || sudo service docker start' },
    { program: 'docker', label: 'Docker Desktop', command: 'systemctl --user start docker-desktop' },
    { program: 'podman', label: 'Podman', command: 'systemctl --user start podman.socket' },
    { program: 'colima', label: 'Colima', command: 'colima start' },
  ]
}

/** Starts the engine in a terminal, where a password can be typed. The start goes on by itself as soon as it answers. */
export async function startEngine(): Promise<void> {
  const ways = waysToStart(process.platform)
  const way =
    ways.length === 1
      ? ways[0]
      : (
          await vscode.window.showQuickPick(
            ways.map((one) => ({ label: one.label, description: one.command, one })),
            { title: vscode.l10n.t('Which engine?') },
          )
        )?.one
  if (way === undefined) return
  const terminal = vscode.window.createTerminal({ name: way.label })
  terminal.show()
  terminal.sendText(way.command)
}

/** Asks for an address, keeps it as the setting, and tries it. */
export async function chooseEngine(then: () => Promise<void>): Promise<void> {
  const settings = vscode.workspace.getConfiguration('moorage')
  const address = await vscode.window.showInputBox({
    title: vscode.l10n.t('Address of the container engine'),
    prompt: vscode.l10n.t('As in DOCKER_HOST. Empty: the one that is found.'),
    placeHolder: 'unix:///var/run/docker.sock, ssh://user@host, tcp://127.0.0.1:2375',
    value: settings.get<string>('engine') ?? '',
  })
  if (address === undefined) return
  await settings.update('engine', address || undefined, vscode.ConfigurationTarget.Global)
  await then()
}

/** Opens what was tried, as text. */
export async function showTried({ folders }: MoorageWindow): Promise<void> {
  for (const { state } of folders.all) {
    if (state.state !== 'failed' || !isMoorageError(state.error)) continue
    const content = [state.error.message, '', ...state.error.advice].join('\n')
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content }), { preview: true })
    return
  }
}

/** Goes on by itself: while no engine answers, looks for one, and starts when there is. Ends with the window. */
export function waitForEngine(window: MoorageWindow, then: () => Promise<void>): vscode.Disposable {
  let looking: NodeJS.Timeout | undefined
  const look = async (): Promise<void> => {
    const { engineAnswers } = await import('../../runtime/index.ts')
    const address = vscode.workspace.getConfiguration('moorage').get<string>('engine') || undefined
    const answers = await engineAnswers(address)
    if (looking === undefined) return
    looking = undefined
    if (answers) await then()
    else follow()
  }
  const follow = (): void => {
    const missing = stateOf(window.folders.all) === 'no-engine'
    if (missing)
      looking ??= setTimeout(() => void look().catch((error: unknown) => window.log.debug(String(error))), LOOK_MS)
    else {
      clearTimeout(looking)
      looking = undefined
    }
  }
  const listening = window.folders.onDidChange(follow)
  return new vscode.Disposable(() => {
    listening.dispose()
    clearTimeout(looking)
    looking = undefined
  })
}
