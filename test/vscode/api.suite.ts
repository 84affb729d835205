/** Runs in the extension host: what other extensions can do. Needs no page, so a desktop VS Code runs it as well. */
import assert from 'node:assert/strict'
import * as vscode from 'vscode'
import type { MoorageApi } from '../../extension/api.ts'
import { runSteps, until } from './rig/suite.ts'
import { treeText } from './rig/text.ts'

export function run(): Promise<void> {
  let api: MoorageApi
  const extension = vscode.extensions.getExtension<MoorageApi>('moorage.moorage')
  const heard = new Set<string>()

  const rows = (wanted: RegExp) =>
    until(
      () => wanted.test(treeText(api.nodes)) || undefined,
      (look) => {
        const listening = api.onDidChangeNodes(look)
        return () => listening.dispose()
      },
      `${wanted} in the tree`,
    )

  return runSteps({
    'activate() gives the API': async () => {
      assert(extension !== undefined)
      api = await extension.activate()
      assert.equal(api.version, 1)
      assert.deepEqual(api.sessions, [])
      api.onEvent(({ event }) => heard.add(event.type))
    },

    'every command of the manifest does something': async () => {
      const registered = new Set(await vscode.commands.getCommands(true))
      const contributed: { command: string }[] = extension?.packageJSON.contributes.commands
      assert.deepEqual(
        contributed.map(({ command }) => command).filter((command) => !registered.has(command)),
        [],
      )
    },

    'start() resolves with a session, which sessions lists': async () => {
      const session = await api.start()
      assert.deepEqual(
        api.sessions.map(({ session: { id } }) => id),
        [session.id],
      )
    },

    'a request to the Worker gives a row, and events': async () => {
      const [url] = api.sessions[0]?.session.urls ?? []
      assert.equal((await fetch(new URL('/alice/x', url))).status, 200)
      await rows(/alice · running/)
      assert.deepEqual(
        ['object', 'container', 'image'].filter((type) => !heard.has(type)),
        [],
      )
    },

    'a process runs in its container': async () => {
      const { session } = api.sessions[0] ?? assert.fail()
      const object = session.model.objects.find(({ name }) => name === 'alice') ?? assert.fail()
      let output = ''
      const { ended } = await session.object(object.key).exec({
        argv: ['echo', 'hello'],
        onOutput: (_, bytes) => {
          output += new TextDecoder().decode(bytes)
        },
      })
      assert.equal((await ended).exitCode, 0)
      assert.equal(output, 'hello\n')
    },

    'stop() leaves no session and no row': async () => {
      await api.stop()
      assert.deepEqual(api.sessions, [])
      await rows(/^$/)
    },
  })
}
