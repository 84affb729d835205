/** Which projects a folder has. */
import * as vscode from 'vscode'
import { CONFIG_FILES } from '../contributes/keys.ts'

/** More configs than this are not looked for. */
const MOST = 50

/** The wrangler configs of a folder, sorted. Of several in one place only the one that wrangler takes counts. */
export async function findConfigs(folder: vscode.Uri): Promise<readonly vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(
    new vscode.RelativePattern(folder, `**/{${CONFIG_FILES.join(',')}}`),
    '**/{node_modules,.wrangler}/**',
    MOST,
  )
  const rank = (uri: vscode.Uri) => CONFIG_FILES.findIndex((name) => uri.path.endsWith(`/${name}`))
  const byFolder = new Map<string, vscode.Uri>()
  for (const uri of [...found].sort((a, b) => rank(b) - rank(a))) byFolder.set(vscode.Uri.joinPath(uri, '..').path, uri)
  return [...byFolder.values()].sort((a, b) => a.path.localeCompare(b.path))
}

/** Asks which configs to run where there are several. Undefined where there is none, or the person has chosen none. */
export async function chooseConfigs(configs: readonly vscode.Uri[]): Promise<readonly string[] | undefined> {
  if (configs.length <= 1) return configs.length === 0 ? undefined : configs.map((uri) => uri.fsPath)
  const items = configs.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }))
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Which projects to run? Several run in one session.'),
    canPickMany: true,
  })
  return chosen === undefined || chosen.length === 0 ? undefined : chosen.map(({ uri }) => uri.fsPath)
}
