/**
 * The eyes of a test within the extension host: it says what is there, and does nothing by itself. It listens on loopback and
 * tells the test where, anew after each reload of the window.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as vscode from 'vscode'
import type { MoorageApi } from '../../../extension/api.ts'
import { ask } from './driver.ts'
import type { Facts, Sight } from './person.ts'
import { until } from './suite.ts'
import { treeText } from './text.ts'

export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension<MoorageApi>('moorage.moorage')
  if (extension === undefined) throw new Error('The extension is not there.')
  const api = await extension.activate()

  const sights: Record<Sight, () => string> = {
    tree: () => treeText(api.nodes),
    problems: () => problems().join('\n'),
    editor,
    sessions: () => api.sessions.map(({ session }) => `${session.id} ${session.urls.join(' ')}`).join('\n'),
  }
  const facts = (): Facts => ({
    pid: process.pid,
  })

  const ended = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { what, pattern, timeoutMs } = JSON.parse(body) as { what: string; pattern?: string; timeoutMs?: number }
    try {
      if (what === 'end') ended.resolve()
      const sight = sights[what as Sight]
      const answer = sight === undefined ? facts() : await seen(sight, new RegExp(pattern ?? ''), api, timeoutMs)
      response.end(JSON.stringify(answer))
    } catch (error) {
      response.statusCode = 500
      response.end(error instanceof Error ? error.message : String(error))
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  await ask('host', (server.address() as AddressInfo).port)
  await ended.promise
  server.close()
}

/** Resolves with what is there as soon as it matches. */
async function seen(sight: () => string, pattern: RegExp, api: MoorageApi, timeoutMs?: number): Promise<string> {
  const matching = () => (pattern.test(sight()) ? sight() : undefined)
  const changed = (look: () => void) => {
    const listening = [
      api.onDidChangeNodes(look),
      api.onDidChange(look),
      vscode.languages.onDidChangeDiagnostics(look),
      vscode.window.onDidChangeActiveTextEditor(look),
      vscode.window.onDidChangeTextEditorSelection(look),
    ]
    return () => vscode.Disposable.from(...listening).dispose()
  }
  return until(matching, changed, `${pattern}`, timeoutMs).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error} It was:\n${sight()}`)
  })
}

/** A line each: `Dockerfile:5 Moorage: what is wrong`, sorted. */
function problems(): string[] {
  return vscode.languages
    .getDiagnostics()
    .flatMap(([uri, all]) =>
      all.map(
        ({ range, source, message }) =>
          `${vscode.workspace.asRelativePath(uri)}:${range.start.line + 1}:${range.start.character + 1} ${source}: ${message}`,
      ),
    )
    .filter((line) => line.includes(' Moorage: '))
    .sort()
}

/** The file in front, and the line of its cursor: `file:/…/Dockerfile:5`, and whether it can only be read. */
function editor(): string {
  const front = vscode.window.activeTextEditor
  if (front === undefined) return ''
  const { scheme, path } = front.document.uri
  const locked = vscode.workspace.fs.isWritableFileSystem(scheme) === false ? ', read-only' : ''
  return `${scheme}:${path}:${front.selection.active.line + 1}${locked}`
}
