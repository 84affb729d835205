import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  age,
  ago,
  commandLine,
  count,
  facts,
  longSpan,
  memory,
  memoryLimit,
  nextMinute,
  nextSecond,
  percent,
  shortAge,
  shortId,
  shortImage,
  sizeWords,
  span,
  vcpus,
} from '../../../../extension/explorer/words.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('ages', () => {
  it('have one unit', () => {
    const written = [1, 59, 60, 60 * 23, 60 * 24, 60 * 50].map((minutes) => age(0, minutes * MINUTE))
    assert.deepEqual(written, ['1m', '59m', '1h', '23h', '1d', '2d'])
  })

  it('begin at a minute', () => {
    assert.equal(age(0, MINUTE - 1), undefined)
    assert.equal(ago(0, MINUTE - 1), 'just now')
    assert.equal(ago(0, MINUTE), '1m ago')
  })

  it('of what is short have seconds below a minute', () => {
    assert.deepEqual([shortAge(0, 8999), shortAge(0, 2 * MINUTE), shortAge(5, 0)], ['8s', '2m', '0s'])
  })

  it('say when they change', () => {
    assert.equal(nextMinute(500, MINUTE), MINUTE + 500)
    assert.equal(nextMinute(500, MINUTE + 500), 2 * MINUTE + 500)
    assert.equal(nextSecond(500, 1400), 1500)
    assert.equal(nextSecond(500, 2 * MINUTE), 2 * MINUTE + 500)
  })
})

describe('spans', () => {
  it('have two units, one where the second is nothing', () => {
    const spans = [12 * SECOND, 9 * MINUTE + 12 * SECOND, 2 * HOUR + 5 * MINUTE + 1, 76 * HOUR, 3 * HOUR, 0, -5]
    assert.deepEqual(spans.map(span), ['12s', '9m 12s', '2h 5m', '3d 4h', '3h', '0s', '0s'])
    assert.equal(longSpan(12 * MINUTE + 8 * SECOND), '12 min 8 s')
  })
})

describe('sizes', () => {
  it('have three digits and base 1000', () => {
    assert.deepEqual([44, 18_400, 84_000_000, 402_400_000, 1_073_741_824].map(sizeWords), [
      '44 B',
      '18.4 kB',
      '84 MB',
      '402 MB',
      '1.07 GB',
    ])
    assert.deepEqual([999, 999.7, 999_499, 999_500].map(sizeWords), ['999 B', '1 kB', '999 kB', '1 MB'])
  })

  it('of memory in use stand still below a MB', () => {
    assert.deepEqual([84_210_000, 31_000_001, 999_499_999, 999_500_000, 1_240_000_000].map(memory), [
      '84 MB',
      '31 MB',
      '999 MB',
      '1 GB',
      '1.24 GB',
    ])
  })

  it('of limits are called by their round number', () => {
    assert.deepEqual(
      [256, 1024, 1536, 12_288].map((mib) => memoryLimit(mib * 2 ** 20)),
      ['256 MB', '1 GB', '1.5 GB', '12 GB'],
    )
    assert.equal(memoryLimit(500_000_000), '500 MB')
  })

  it('of CPU are parts, and those in use percent', () => {
    assert.deepEqual([1 / 16, 0.063, 0.25, 0.5, 1, 2.5].map(vcpus), [
      '1/16 vCPU',
      '1/16 vCPU',
      '¼ vCPU',
      '½ vCPU',
      '1 vCPU',
      '2.5 vCPU',
    ])
    assert.deepEqual([0, 0.031, 1.21].map(percent), ['0 %', '3 %', '121 %'])
  })

  it('of numbers have commas', () => assert.equal(count(1204), '1,204'))
})

describe('commands', () => {
  it('are written as one types them', () => {
    assert.equal(commandLine(['sh', '-c', "echo 'a'", '']), "sh -c 'echo '\\''a'\\''' ''")
  })

  it('stay in one line, and end somewhere', () => {
    assert.equal(commandLine(['a\n\u202eb']), "'a b'")
    assert.equal(commandLine(['x'.repeat(500)]).length, 120)
  })
})

describe('ids', () => {
  it('are cut in the middle', () => assert.equal(shortId(`4f1c09e2${'0'.repeat(52)}77ab`), '4f1c09e2…77ab'))
  it('stay whole when short', () => assert.equal(shortId('alice'), 'alice'))
})

describe('images', () => {
  it('are written without registry, owner and long digests', () => {
    assert.equal(shortImage('moorage/agents-sandbox:9c41e2d0a43c'), 'agents-sandbox:9c41e2')
    assert.equal(shortImage('localhost:5000/a/app:latest'), 'app:latest')
  })
})

describe('facts', () => {
  it('leave out what is not known', () => assert.equal(facts('a', undefined, '', 'b'), 'a · b'))
})
