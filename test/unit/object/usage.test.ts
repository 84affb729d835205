import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cpuMs, memoryBytes, portsOf } from '../../../runtime/object/usage.ts'

describe('CPU time', () => {
  it('is in microseconds in a group of version 2, in nanoseconds in one of version 1', () => {
    assert.equal(cpuMs('usage_usec 2500\nuser_usec 2000\nsystem_usec 500\n'), 2.5)
    assert.equal(cpuMs('2500000\n'), 2.5)
  })

  it('is not known from anything else', () => {
    for (const text of ['', '-1', '1e9', 'usage_usec -5', 'x'.repeat(60_000), '9'.repeat(400)]) {
      assert.equal(cpuMs(text), undefined)
    }
  })
})

describe('memory', () => {
  it('is counted without files that nobody has read lately', () => {
    assert.equal(memoryBytes('1000\n', 'anon 5\ninactive_file 300\nactive_file 9\n'), 700)
    assert.equal(memoryBytes('1000\n', 'cache 5\ninactive_file 1\ntotal_inactive_file 400\n'), 600)
  })

  it('is never less than nothing, and not known without a number', () => {
    assert.equal(memoryBytes('1000', 'inactive_file 2000'), 1_000)
    assert.equal(memoryBytes('1000', ''), 1_000)
    assert.equal(memoryBytes('lots', 'inactive_file 1'), undefined)
    assert.equal(memoryBytes('', ''), undefined)
  })
})

describe('ports', () => {
  const listening = '0: 00000000:1F90 0 0A\n0: 0100007F:240D 0 0A\n0: 00000000:1538 0 0A\n'

  it('are what has answered HTTP, the inspector, or TCP', () => {
    assert.deepEqual(portsOf({ listening, http: [8080] }), [
      { port: 5432, protocol: 'tcp' },
      { port: 8080, protocol: 'http' },
      { port: 9229, protocol: 'inspector' },
    ])
  })

  it('are none where nothing listens, and not known where nobody says', () => {
    assert.deepEqual(portsOf({ listening: '\n', http: [8080] }), [])
    assert.equal(portsOf({ listening: '', http: [] }), undefined)
  })

  it('are a hundred at most', () => {
    const many = Array.from({ length: 500 }, (_, i) => `0: 00000000:${(i + 4096).toString(16).toUpperCase()} 0 0A`)
    assert.equal(portsOf({ listening: many.join('\n'), http: [] })?.length, 100)
  })
})
