/** Installs a project's dependencies with the package manager that it uses. */
import * as vscode from 'vscode'
import type { Folder } from './folder.ts'

/** Lock files, and what their package manager installs with. The first that is there counts. */
const MANAGERS = [
  { lock: 'pnpm-lock.yaml', install: 'pnpm install', add: 'pnpm add -D wrangler@latest' },
  { lock: 'yarn.lock', install: 'yarn install', add: 'yarn add -D wrangler@latest' },
  { lock: 'bun.lock', install: 'bun install', add: 'bun add -d wrangler@latest' },
  { lock: 'bun.lockb', install: 'bun install', add: 'bun add -d wrangler@latest' },
  { lock: 'package-lock.json', install: 'npm ci', add: 'npm install -D wrangler@latest' },
] as const
const NPM = { install: 'npm install', add: 'npm install -D wrangler@latest' } as const

/**
 * Runs the installation where it is seen, as a task, after saying which command that is. Where wrangler is there but too old, or
 * no dependency of the project, the newest one is added.
 * @param then what is done when all of them succeeded
 */
export async function installDependencies(folders: readonly Folder[], then: () => Promise<void>): Promise<void> {
  for (const folder of folders) {
    const code = folder.state.state === 'failed' ? (folder.state.error as { code?: string }).code : undefined
    if (code !== 'no-wrangler' && code !== 'wrangler-too-old') continue
    const [config] = folder.configs
    if (config === undefined) continue
    const home = vscode.Uri.joinPath(config, '..')
    const manager = await managerOf(home, folder.uri)
    const command = code === 'no-wrangler' && (await dependsOnWrangler(home)) ? manager.install : manager.add
    const run = vscode.l10n.t('Run It')
    const answer = await vscode.window.showInformationMessage(
      vscode.l10n.t('Run `{0}` in {1}?', command, vscode.workspace.asRelativePath(home)),
      { modal: true },
      run,
    )
    if (answer !== run || (await runTask(command, home)) !== 0) return
  }
  await then()
}

async function managerOf(home: vscode.Uri, folder: vscode.Uri): Promise<{ install: string; add: string }> {
  for (const place of [home, folder]) {
    for (const manager of MANAGERS) if (await exists(vscode.Uri.joinPath(place, manager.lock))) return manager
  }
  return NPM
}

async function dependsOnWrangler(home: vscode.Uri): Promise<boolean> {
  try {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(home, 'package.json')))
    const { dependencies = {}, devDependencies = {} } = JSON.parse(text) as Record<string, Record<string, string>>
    return 'wrangler' in dependencies || 'wrangler' in devDependencies
  } catch {
    return false
  }
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  )
}

/** Resolves with the exit code; undefined where the task was ended. */
async function runTask(command: string, cwd: vscode.Uri): Promise<number | undefined> {
  const execution = new vscode.ShellExecution(command, { cwd: cwd.fsPath })
  const task = new vscode.Task(
    { type: 'moorage' },
    vscode.TaskScope.Workspace,
    vscode.l10n.t('install dependencies'),
    'Moorage',
    execution,
  )
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always }
  const ended = new Promise<number | undefined>((resolve) => {
    const listening = vscode.tasks.onDidEndTaskProcess(({ execution: { task: other }, exitCode }) => {
      if (other.name !== task.name || other.source !== task.source) return
      listening.dispose()
      resolve(exitCode)
    })
  })
  await vscode.tasks.executeTask(task)
  return ended
}
