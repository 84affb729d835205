/** What a session is started with, from the settings of its folder. */
import * as vscode from 'vscode'
import type { SessionOptions } from '../../runtime/index.ts'
import type { SettingName } from '../contributes/settings.ts'

/** The options that are settings; an empty one is left out. */
export function options(folder: vscode.Uri): Partial<SessionOptions> {
  const settings = vscode.workspace.getConfiguration('moorage', folder)
  const text = (name: SettingName) => settings.get<string>(name) || undefined
  const [env, engine, node, busybox] = [text('env'), text('engine'), text('node'), text('busybox')]
  return {
    port: settings.get<number>('port') ?? 0,
    limits: settings.get<boolean>('limits') ?? true,
    buildArgs: settings.get<Record<string, string>>('buildArgs') ?? {},
    ...(env === undefined ? {} : { env }),
    ...(engine === undefined ? {} : { engine }),
    ...(node === undefined ? {} : { node }),
    ...(busybox === undefined ? {} : { busybox }),
  }
}
