/** Ports of containers, in a browser and as single requests. */
import * as vscode from 'vscode'
import type { Forward } from '../../runtime/index.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { Chooser, ChosenObject } from './chosen.ts'

/** A request that a person sends is given up after this time, in ms. */
const REQUEST_MS = 60_000

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

/** @param window owns all that is registered, and the ways that were opened */
export function portCommands(window: MoorageWindow, choose: Chooser): void {
  const forwards = new Map<string, Promise<Forward>>()
  const open = ({ session, object }: ChosenObject, port: number): Promise<Forward> => {
    const key = `${session.id} ${object.key} ${port}`
    const known = forwards.get(key)
    if (known !== undefined) return known
    const opened = session.object(object.key).forward(port)
    forwards.set(key, opened)
    opened.catch(() => forwards.delete(key))
    return opened
  }
  window.own(
    window.folders.onDidChange(() => {
      const sessions = new Set(window.folders.all.map(({ session }) => session?.id))
      for (const key of forwards.keys()) if (!sessions.has(key.split(' ')[0])) forwards.delete(key)
    }),
  )
  window.command('moorage.openPort', async (row?: Node | Target) => {
    const [chosen, port] = await which(choose, row)
    if (chosen === undefined || port === undefined) return
    const { url } = await open(chosen, port)
    await vscode.env.openExternal(await vscode.env.asExternalUri(vscode.Uri.parse(url)))
  })
  window.command('moorage.sendRequest', async (row?: Node | Target) => {
    const [chosen, port] = await which(choose, row)
    if (chosen === undefined || port === undefined) return
    const request = await askRequest(chosen.name, port)
    if (request === undefined) return
    const { url } = await open(chosen, port)
    const answer = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `${request.method} ${request.path}`, cancellable: true },
      (_, cancelled) => send(url, request, cancelled),
    )
    const document = await vscode.workspace.openTextDocument({ content: answer, language: 'http' })
    await vscode.window.showTextDocument(document, { preview: true })
  })
}

/** The object and port that a command is for; asks for the port where the row does not say it. */
async function which(
  choose: Chooser,
  row: Node | Target | undefined,
): Promise<readonly [ChosenObject | undefined, number | undefined]> {
  const chosen = await choose.object(row, 'shell')
  if (chosen === undefined) return [undefined, undefined]
  const target = choose.target(row)
  if (target?.kind === 'port') return [chosen, target.port]
  const ports = (chosen.object.ports ?? []).filter(({ protocol }) => protocol !== 'inspector')
  const [only] = ports
  if (only !== undefined && ports.length === 1) return [chosen, only.port]
  if (ports.length > 1) {
    const items = ports.map(({ port, protocol }) => ({ label: String(port), description: protocol, port }))
    return [chosen, (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which port?') }))?.port]
  }
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t('Which port of {0}?', chosen.name),
    value: '8080',
    validateInput: (text) => (isPort(text) ? undefined : vscode.l10n.t('A number of 1 to 65535.')),
  })
  return [chosen, typed === undefined ? undefined : Number(typed)]
}

function isPort(text: string): boolean {
  const port = Number(text)
  return Number.isInteger(port) && port >= 1 && port <= 65535
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
}

async function askRequest(name: string, port: number): Promise<Request | undefined> {
  const title = vscode.l10n.t('Request to port {0} of {1}', port, name)
  const method = await vscode.window.showQuickPick(METHODS, { title })
  if (method === undefined) return undefined
  const path = await vscode.window.showInputBox({ title, value: '/', prompt: vscode.l10n.t('Path and query') })
  if (path === undefined) return undefined
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return { method, path, body: undefined }
  const body = await vscode.window.showInputBox({ title, prompt: vscode.l10n.t('Body; text or JSON') })
  return body === undefined ? undefined : { method, path, body }
}

/** Sends it, and gives the answer as text. */
async function send(url: string, request: Request, cancelled: vscode.CancellationToken): Promise<string> {
  const abort = new AbortController()
  cancelled.onCancellationRequested(() => abort.abort())
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(REQUEST_MS)])
  // The address with the secret gives the cookie that opens the port.
  const opened = await fetch(url, { redirect: 'manual', signal })
  const cookie = opened.headers.getSetCookie().map((text) => text.split(';')[0])
  const began = performance.now()
  const { method, path, body } = request
  const isJson = body !== undefined && /^\s*[[{]/.test(body)
  const answer = await fetch(new URL(path, url), {
    method,
    redirect: 'manual',
    signal,
    headers: { cookie: cookie.join('; '), ...(isJson ? { 'content-type': 'application/json' } : {}) },
    ...(body === undefined ? {} : { body }),
  })
  const text = await answer.text()
  const tookMs = performance.now() - began
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`)
  return [
    `# ${method} ${path} · ${tookMs.toFixed(0)} ms`,
    `HTTP/1.1 ${answer.status} ${answer.statusText}`,
    ...headers,
    '',
    text,
  ].join('\n')
}
