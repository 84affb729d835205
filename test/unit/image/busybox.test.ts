import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { findBusybox } from '../../../runtime/image/busybox.ts'

describe('a busybox of this machine', () => {
  const find = (source: string) => findBusybox({} as Engine, source, {})

  it('is told of where it comes from', async () => {
    const { program, from } = await find(process.execPath)
    assert.ok(program.length > 0)
    assert.equal(from, `the file ${process.execPath}`)
  })

  it('that is not there is a sentence, with the way out', async () => {
    const wrong = (message: string) => (error: { message: string; advice: readonly string[] }) =>
      error.message === message && (error.advice[0] ?? '').startsWith('Set MOORAGE_BUSYBOX')
    const words = 'The image has no shell, and no busybox could be taken from'
    await assert.rejects(find('/nowhere/busybox'), wrong(`${words} /nowhere/busybox: There is no such file.`))
    await assert.rejects(find('/'), wrong(`${words} /: It is a folder.`))
  })
})
