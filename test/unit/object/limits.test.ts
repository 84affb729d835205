import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { engineLimits, limitsOf } from '../../../runtime/object/limits.ts'

const MACHINE = { cpus: 8, memoryBytes: 16 * 1_073_741_824 }

describe('limits', () => {
  it('are those of the smallest type where none is named', () => {
    const lite = { vcpu: 0.0625, memoryMib: 256, diskMb: 2_000 }
    assert.deepEqual([limitsOf(undefined), limitsOf('lite'), limitsOf('no such')], [lite, lite, lite])
  })

  it('go by the type’s name', () => {
    assert.deepEqual(limitsOf('standard-4'), { vcpu: 4, memoryMib: 12_288, diskMb: 20_000 })
  })

  it('go by figures; what is left out is the smallest type’s', () => {
    assert.deepEqual(limitsOf({ memoryMib: 1_000 }), { vcpu: 0.0625, memoryMib: 1_000, diskMb: 2_000 })
  })
})

describe('limits in the engine’s words', () => {
  it('are bytes, without swap, and billionths of a CPU', () => {
    assert.deepEqual(engineLimits({ vcpu: 0.5, memoryMib: 256, diskMb: 1 }, MACHINE), {
      Memory: 268_435_456,
      MemorySwap: 268_435_456,
      NanoCpus: 500_000_000,
    })
  })

  it('are no more than the machine has', () => {
    const limits = engineLimits({ vcpu: 4, memoryMib: 12_288, diskMb: 1 }, { cpus: 2, memoryBytes: 4_000_000_000 })
    assert.deepEqual(limits, { Memory: 4_000_000_000, MemorySwap: 4_000_000_000, NanoCpus: 2_000_000_000 })
  })

  it('come in steps that the engine takes', () => {
    assert.equal(engineLimits({ vcpu: 1 / 16, memoryMib: 256, diskMb: 1 }, MACHINE).NanoCpus, 63_000_000)
  })
})
