/** Commands that lead to a line of a file: of a Dockerfile, of the config. */
import * as vscode from 'vscode'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { Chooser, ChosenClass } from './chosen.ts'

/** @param window owns what is registered */
export function placeCommands(window: MoorageWindow, choose: Chooser): void {
  window.command('moorage.goToFailure', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const { image } = chosen.one
    if (image.state === 'failed' && image.file !== undefined) await open(vscode.Uri.file(image.file), image.line ?? 1)
    else await openDockerfile(chosen)
  })
  window.command('moorage.raiseMemory', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const uri = configOf(chosen)
    if (uri === undefined) return
    const document = await vscode.workspace.openTextDocument(uri)
    // The setting if it is there, else where it would stand: beside the class.
    const lines = document.getText().split('\n')
    const ofClass = lines.findIndex((line) => /class_name/.test(line) && line.includes(chosen.one.className))
    const near = lines.findIndex((line, index) => /instance_type/.test(line) && Math.abs(index - ofClass) < 15)
    await open(uri, 1 + Math.max(0, near === -1 ? ofClass : near))
    const larger = LARGER[chosen.one.instanceType]
    if (larger === undefined) return
    void vscode.window.showInformationMessage(vscode.l10n.t('The next larger one is "instance_type": "{0}".', larger))
  })
}

/** Instance types by memory, as Cloudflare names them. */
const LARGER: Readonly<Record<string, string>> = {
  lite: 'basic',
  dev: 'basic',
  basic: 'standard-1',
  'standard-1': 'standard-2',
  standard: 'standard-2',
  'standard-2': 'standard-3',
  'standard-3': 'standard-4',
}

async function openDockerfile(chosen: ChosenClass): Promise<void> {
  const config = configOf(chosen)
  if (config === undefined) return
  const { dockerfile } = chosen.one
  await open(dockerfile === undefined ? config : vscode.Uri.file(dockerfile), 1)
}

function configOf({ session, one, folder }: ChosenClass): vscode.Uri | undefined {
  const project = session.model.projects.find(({ name }) => name === one.project)
  return project === undefined ? folder.configs[0] : vscode.Uri.file(project.config)
}

async function open(uri: vscode.Uri, line: number): Promise<void> {
  const at = new vscode.Position(line - 1, 0)
  await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at) })
}
