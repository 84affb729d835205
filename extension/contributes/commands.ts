/**
 * Every command: its title, icon, where it is offered and its key. A row's `viewItem` is its kind and the words for what can be
 * done with it now, each between spaces: ` object can:start can:why `. Imports only names.
 */
import { contextKeys, views } from './keys.ts'

export interface Command {
  readonly title: string
  readonly icon?: string
  /** Where the palette offers it; without it, while a session runs; `false`: never, it needs its row. */
  readonly palette?: string | false
  /** In the title of the Objects view: when, and the group (`navigation` is an icon). */
  readonly viewTitle?: { readonly when: string; readonly group: string }
  /** In a row of the Objects view: the word of its viewItem, and its group (`inline@1` shows on hover). */
  readonly row?: readonly { readonly item: string; readonly group: string }[]
  readonly key?: { readonly key: string; readonly mac?: string; readonly when?: string }
}

const { state, filtered } = contextKeys
const running = `${state} == running`
const canStart = `${state} =~ /^(stopped|not-installed|old-wrangler|no-engine|failed)$/`
const canStop = `${state} =~ /^(starting|running)$/`
// Not while something is typed into the view's own search.
const focused = `focusedView == ${views.objects} && !inputFocus`

const session = {
  'moorage.start': {
    title: 'Start Containers',
    icon: '$(play)',
    palette: canStart,
    viewTitle: { when: canStart, group: 'navigation@2' },
  },
  'moorage.stop': {
    title: 'Stop Containers',
    icon: '$(debug-stop)',
    palette: canStop,
    viewTitle: { when: canStop, group: 'navigation@2' },
  },
  'moorage.filter': {
    title: 'Filter Objects…',
    icon: '$(filter)',
    palette: running,
    viewTitle: { when: `${running} && !${filtered}`, group: 'navigation@1' },
    key: { key: 'ctrl+f', mac: 'cmd+f', when: focused },
  },
  'moorage.clearFilter': {
    title: 'Clear Filter',
    icon: '$(filter-filled)',
    palette: filtered,
    viewTitle: { when: `${running} && ${filtered}`, group: 'navigation@1' },
  },
  'moorage.rebuildImages': { title: 'Rebuild Images', viewTitle: { when: running, group: '1_session@1' } },
  'moorage.openWorker': { title: 'Open Worker in Browser', viewTitle: { when: running, group: '1_session@2' } },
  'moorage.restartWorker': { title: 'Restart Worker', viewTitle: { when: running, group: '1_session@3' } },
  'moorage.showAllLogs': { title: 'Show Logs of Everything', viewTitle: { when: running, group: '2_logs@1' } },
  'moorage.showLog': {
    title: "Show Moorage's Own Log",
    palette: 'true',
    viewTitle: { when: 'true', group: '2_logs@2' },
  },
  'moorage.menu': { title: 'Menu…', palette: 'true' },
  'moorage.openConfig': { title: 'Open Wrangler Config', palette: `${state} != none` },
  'moorage.openWalkthrough': { title: 'Open Walkthrough', palette: 'true' },
  'moorage.installDependencies': { title: 'Install Dependencies', palette: `${state} == not-installed` },
  'moorage.startEngine': { title: 'Start Container Engine', palette: `${state} == no-engine` },
  'moorage.chooseEngine': { title: 'Choose Container Engine…', palette: 'true' },
  'moorage.showTried': { title: 'Show What Was Tried to Find an Engine', palette: `${state} == no-engine` },
} as const satisfies Record<string, Command>

const object = {
  'moorage.openShell': {
    title: 'Open Shell',
    icon: '$(terminal)',
    row: [
      { item: 'can:shell', group: 'inline@1' },
      { item: 'can:shell', group: '1_open@1' },
    ],
    key: { key: 'ctrl+enter', mac: 'cmd+enter', when: focused },
  },
  'moorage.openShellBeside': {
    title: 'Open Shell Beside the Editor',
    row: [{ item: 'can:shell', group: '1_open@2' }],
  },
  'moorage.runCommand': { title: 'Run Command…', row: [{ item: 'can:shell', group: '1_open@3' }] },
  'moorage.showLogs': { title: 'Show Logs', icon: '$(output)', row: [{ item: 'can:logs', group: '1_open@4' }] },
  'moorage.openPort': {
    title: 'Open Port in Browser',
    icon: '$(link-external)',
    row: [
      { item: 'port', group: 'inline@1' },
      { item: 'port', group: '1_open@1' },
      { item: 'can:shell', group: '1_open@5' },
    ],
  },
  'moorage.sendRequest': {
    title: 'Send Request…',
    row: [
      { item: 'port', group: '1_open@2' },
      { item: 'can:shell', group: '1_open@6' },
    ],
  },
  'moorage.why': {
    title: 'Why Did It Stop?',
    icon: '$(question)',
    row: [
      { item: 'can:why', group: 'inline@2' },
      { item: 'can:why', group: '1_open@0' },
    ],
  },
  'moorage.startContainer': {
    title: 'Start',
    icon: '$(play)',
    row: [
      { item: 'can:start', group: 'inline@1' },
      { item: 'can:start', group: '2_life@1' },
    ],
  },
  'moorage.restartContainer': {
    title: 'Restart',
    icon: '$(debug-restart)',
    row: [
      { item: 'can:stop', group: 'inline@2' },
      { item: 'can:stop', group: '2_life@2' },
    ],
  },
  'moorage.stopContainer': {
    title: 'Stop',
    icon: '$(debug-stop)',
    row: [
      { item: 'can:stop', group: 'inline@3' },
      { item: 'can:stop', group: '2_life@3' },
    ],
    key: { key: 'delete', mac: 'cmd+backspace', when: focused },
  },
  'moorage.destroyContainer': {
    title: 'Destroy…',
    row: [{ item: 'can:destroy', group: '2_life@4' }],
    key: { key: 'shift+delete', mac: 'cmd+shift+backspace', when: focused },
  },
  'moorage.signalContainer': { title: 'Send Signal…', row: [{ item: 'can:stop', group: '2_life@5' }] },
  'moorage.expire': { title: 'Expire Now', row: [{ item: 'can:stop', group: '2_life@6' }] },
  'moorage.runAlarm': {
    title: 'Run Alarm Now',
    icon: '$(run)',
    row: [
      { item: 'alarm', group: 'inline@1' },
      { item: 'can:alarm', group: '2_life@7' },
    ],
  },
  'moorage.copyId': {
    title: 'Copy Id',
    row: [{ item: 'object', group: '3_copy@1' }],
    key: { key: 'ctrl+c', mac: 'cmd+c', when: focused },
  },
  'moorage.revealClass': {
    title: 'Go to Class',
    row: [
      { item: 'object', group: '3_copy@2' },
      { item: 'class', group: '1_open@2' },
    ],
    key: { key: 'f12', when: focused },
  },
  'moorage.rebuildImage': {
    title: 'Rebuild Image',
    row: [
      { item: 'class', group: '2_life@1' },
      { item: 'image', group: '2_life@1' },
    ],
  },
  'moorage.showClassLogs': { title: 'Show Logs of Class', row: [{ item: 'class', group: '1_open@1' }] },
  'moorage.showBuild': {
    title: 'Show Image Build',
    row: [
      { item: 'class', group: '1_open@3' },
      { item: 'image-failure', group: '1_open@2' },
    ],
  },
  'moorage.goToFailure': { title: 'Go to Line', row: [{ item: 'image-failure', group: '1_open@1' }] },
  'moorage.shellInImage': { title: 'Open Shell in Image', row: [{ item: 'class', group: '1_open@4' }] },
  'moorage.raiseMemory': { title: 'Raise the Memory of a Class', row: [{ item: 'class', group: '3_copy@1' }] },
  'moorage.attachProcess': {
    title: 'Show Output',
    icon: '$(terminal)',
    row: [{ item: 'process', group: '1_open@1' }],
  },
  'moorage.stopProcess': {
    title: 'Terminate Process',
    icon: '$(debug-stop)',
    row: [
      { item: 'can:end', group: 'inline@1' },
      { item: 'can:end', group: '2_life@1' },
    ],
  },
  'moorage.signalProcess': { title: 'Send Signal to Process…', row: [{ item: 'can:end', group: '2_life@2' }] },
} as const satisfies Record<string, Command>

const logs = {
  'moorage.toggleTimestamps': { title: 'Logs: Show or Hide Timestamps' },
  'moorage.clearLogs': { title: 'Logs: Clear' },
  'moorage.saveLogs': { title: 'Logs: Save…' },
} as const satisfies Record<string, Command>

/** What links, lenses and buttons call, with an argument; never in the palette. */
const links = {
  'moorage.select': { title: 'Select in Objects', palette: false },
  'moorage.runHere': { title: 'Run This In…', palette: false },
  'moorage.shellOfClass': { title: 'Open Shell', palette: false },
} as const satisfies Record<string, Command>

/** Commands by id. */
export const commands = { ...session, ...object, ...logs, ...links } as const

export type CommandId = keyof typeof commands

/** As [id, command] pairs. */
export const commandList = Object.entries<Command>(commands)

/** When the palette offers a command. */
export function paletteWhen({ palette }: Command): string {
  return palette === false ? 'false' : (palette ?? running)
}
