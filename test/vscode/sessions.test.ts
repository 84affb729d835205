import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Cli } from '../support/cli.ts'
import { inEngine } from '../support/left.ts'
import { copyFixture } from '../support/session.ts'
import { Person } from './rig/person.ts'
import { masked } from './rig/text.ts'

/** Project, class and object rows of two folders. */
const BOTH = `\
desk · :<port>
  Desk · 1 of 1 running
    alice · running
watch · :<port>
  Sleeper · 1 of 1 running
    bob · running
  Plain
  Broken
  Room · no container`

describe('a window', () => {
  it('joins a session that runs in a terminal, and leaves it running', async () => {
    await using project = await copyFixture('desk')
    await using cli = Cli.start(project.folder)
    const url = await cli.url()
    assert.equal((await fetch(new URL('/alice/x', url))).status, 200)
    {
      await using person = await Person.open(project.folder)
      await person.starts()
      assert.equal((await person.session()).id, (await cli.lock()).session)
      await person.sees('tree', /alice · running/)
      await person.expands(/^Object alice/)
      await person.presses(/^Object alice/, 'Open Shell')
      await person.reads(/#$/)
      await person.types('echo $((6*7))')
      await person.reads(/^42$/m)
      await person.picture('joined-dark')
    }
    assert.equal((await fetch(new URL('/alice/x', url))).status, 200)
    assert((await inEngine((await cli.lock()).session)).length > 0)
  })

  it('with two folders runs two sessions, below a row for each project', async () => {
    await using one = await copyFixture('desk')
    await using other = await copyFixture('watch')
    const workspace = join(dirname(one.folder), 'two.code-workspace')
    await writeFile(workspace, JSON.stringify({ folders: [{ path: one.folder }, { path: other.folder }] }))
    await using person = await Person.open(workspace)
    await person.starts()
    const sessions = await person.sees('sessions', /http.*\n.*http/)
    const urls = [...sessions.matchAll(/http\S+/g)].map(([url]) => url)
    assert.equal((await fetch(new URL('/alice/x', urls[0]))).status, 200)
    assert.equal((await fetch(new URL('/Sleeper/bob/x', urls[1]))).status, 200)
    const text = await person.sees('tree', /alice · running(.|\n)*bob · running/)
    const rows = text.split('\n').filter((line) => /^ {0,4}\S/.test(line))
    assert.equal(masked(rows.join('\n')).replaceAll(/ · <part> % · <size> MB/g, ''), BOTH)
    await person.picture('two-folders-dark')
  })
})
