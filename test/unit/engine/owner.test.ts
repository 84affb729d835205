import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { isDead, type Machine, ownerLabel, parseOwner } from '../../../runtime/engine/owner.ts'

/** A machine with one process: pid 42. */
function machine(options: Partial<Machine> & { start?: string } = {}): Machine {
  const { start = '1000', ...rest } = options
  return {
    platform: 'linux',
    hostname: 'desk',
    read: async (file) =>
      file === '/proc/42/stat' ? `42 (a ) b) S ${'0 '.repeat(18)}${start} 0 0` : Promise.reject(new Error()),
    link: async () => 'pid:[4026531836]',
    run: async () => '',
    exists: (pid) => pid === 42,
    ...rest,
  }
}

const owner = async (pid: number, on: Machine) => parseOwner(await ownerLabel(pid, on))!

describe('an owner', () => {
  it('is written as host, pid and start time', async () => {
    assert.match(await ownerLabel(42, machine()), /^desk\.[0-9a-f]{8}:42:1000$/)
  })

  it('is dead when its pid is nobody', async () => {
    assert.equal(await isDead(await owner(42, machine()), machine()), false)
    assert.equal(await isDead(await owner(42, machine()), machine({ exists: () => false })), true)
  })

  it("is dead when its pid is another's", async () => {
    assert.equal(await isDead(await owner(42, machine()), machine({ start: '2000' })), true)
  })

  it('of another host is never dead', async () => {
    const gone = { exists: () => false }
    assert.equal(await isDead(await owner(42, machine()), machine({ ...gone, hostname: 'other' })), false)
  })

  it('of another pid namespace or platform is never dead, though the host has the same name', async () => {
    const gone = { exists: () => false }
    const label = await owner(42, machine())
    assert.equal(await isDead(label, machine({ ...gone, link: async () => 'pid:[1]' })), false)
    assert.equal(await isDead(label, machine({ ...gone, platform: 'win32' })), false)
  })

  it('is told by ps where there is no /proc', async () => {
    const mac = machine({ platform: 'darwin', run: async () => 'Tue Nov 24 17:42:56 2026    \n' })
    assert.match(await ownerLabel(42, mac), /:42:1795542176$/)
    const later = machine({ platform: 'darwin', run: async () => 'Tue Nov 24 17:42:57 2026\n' })
    assert.equal(await isDead(await owner(42, mac), mac), false)
    assert.equal(await isDead(await owner(42, mac), later), true)
  })

  it('without a start time is dead only when its pid is nobody', async () => {
    const windows = machine({ platform: 'win32' })
    const label = await owner(42, windows)
    assert.equal(label.start, '')
    assert.equal(await isDead(label, windows), false)
    assert.equal(await isDead(label, machine({ platform: 'win32', exists: () => false })), true)
  })

  it('is none where the label is not ours', () => {
    for (const text of ['', 'desk', 'desk:x:1', 'desk:1']) assert.equal(parseOwner(text), undefined)
  })

  it('is found on this machine', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const label = await ownerLabel(child.pid)
    assert.equal(await isDead(parseOwner(label)!), false)
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.equal(await isDead(parseOwner(label)!), true)
    assert.equal(await isDead(parseOwner(await ownerLabel())!), false)
  })
})
