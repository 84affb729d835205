// The oldest wrangler that a project may have, with the newest Container class: a whole life of an object in both.
import assert from 'node:assert/strict'
import { access, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { copyExample } from '../../support/project.ts'
import { runIn, until } from '../../support/session.ts'
import { cacheFolder } from '../../support/tools/cache.mjs'
import { npm } from '../../support/tools/npm.mjs'

const OLDEST = '4.40.0'
const CONTAINERS = '0.3.7'

/** node_modules with the oldest wrangler, installed once into the cache, which lies outside of the checkout. */
async function oldModules(signal: AbortSignal): Promise<string> {
  const folder = join(cacheFolder(), `wrangler-${OLDEST}-containers-${CONTAINERS}`)
  const modules = join(folder, 'node_modules')
  const there = await access(join(modules, 'wrangler')).then(
    () => true,
    () => false,
  )
  if (there) return modules
  const fresh = `${folder}.${process.pid}`
  await mkdir(fresh, { recursive: true })
  const packages = [`wrangler@${OLDEST}`, `@cloudflare/containers@${CONTAINERS}`]
  await npm(['install', '--prefix', fresh, '--no-audit', '--no-fund', ...packages], { signal })
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }))
  return modules
}

describe(`a project with wrangler ${OLDEST}`, () => {
  const abort = new AbortController()
  after(() => abort.abort())

  it('runs: hooks, a restart, and an end by sleepAfter', async () => {
    const modules = await oldModules(abort.signal)
    await using project = await copyExample('quotes')
    await rm(join(project.folder, 'node_modules'))
    await symlink(modules, join(project.folder, 'node_modules'), 'junction')
    await using running = await runIn(project.folder)
    const { events } = running
    assert.match(await running.text('/shelf/alice/quotes/1'), /"by":"Jacques Cousteau"/)
    const first = JSON.parse(await running.text('/shelf/alice/count'))
    assert.equal(first.pid, 1)
    const hook = (name: string, from: number) =>
      events.next(`${name}`, (e) => e.type === 'hook' && e.hook === name && e.edge === 'end' && e, from)
    const started = await hook('onStart', 0)
    assert.equal(started.error, undefined)

    const { now } = events
    assert.equal((await running.fetch('/shelf/alice/restart', { method: 'POST' })).status, 204)
    await hook('onStop', now)
    await until('it answers again', async () => (await running.fetch('/shelf/alice/quotes/2')).ok)
    await hook('onStart', now)

    const end = await events.next(
      'the end by sleepAfter',
      (e) =>
        e.type === 'container' &&
        e.container.state === 'stopped' &&
        e.container.end.reason.kind === 'idle' &&
        e.container.end,
      now,
    )
    assert.deepEqual(end.reason, { kind: 'idle', exitCode: 0 })
    const history = JSON.parse(await running.text('/shelf/alice/history')) as { what: string }[]
    assert.ok(
      history.some(({ what }) => what === 'onStop: exit code 0, reason exit'),
      JSON.stringify(history),
    )
  })
})
