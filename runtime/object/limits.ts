/** CPU and memory as in production (developers.cloudflare.com/containers/platform-details, instance types). */

export interface Limits {
  readonly vcpu: number
  readonly memoryMib: number
  readonly diskMb: number
}

const TYPES: Readonly<Record<string, Limits>> = {
  lite: { vcpu: 1 / 16, memoryMib: 256, diskMb: 2_000 },
  dev: { vcpu: 1 / 16, memoryMib: 256, diskMb: 2_000 },
  basic: { vcpu: 1 / 4, memoryMib: 1_024, diskMb: 4_000 },
  standard: { vcpu: 1 / 2, memoryMib: 4_096, diskMb: 4_000 },
  'standard-1': { vcpu: 1 / 2, memoryMib: 4_096, diskMb: 8_000 },
  'standard-2': { vcpu: 1, memoryMib: 6_144, diskMb: 12_000 },
  'standard-3': { vcpu: 2, memoryMib: 8_192, diskMb: 16_000 },
  'standard-4': { vcpu: 4, memoryMib: 12_288, diskMb: 20_000 },
}

/** The instance type of a class whose config names none. */
export const DEFAULT_TYPE = 'lite'

/** An instance type by name or by its figures; what is left out is the smallest type's. */
export function limitsOf(
  instance: string | { readonly vcpu?: number; readonly memoryMib?: number; readonly diskMb?: number } | undefined,
): Limits {
  const smallest = TYPES[DEFAULT_TYPE] as Limits
  if (instance === undefined) return smallest
  if (typeof instance === 'string') return TYPES[instance] ?? smallest
  return {
    vcpu: instance.vcpu ?? smallest.vcpu,
    memoryMib: instance.memoryMib ?? smallest.memoryMib,
    diskMb: instance.diskMb ?? smallest.diskMb,
  }
}

/** Limits in the engine's words, no more than the machine has. Memory in bytes, CPU in billionths. */
export function engineLimits(
  limits: Limits,
  machine: { readonly cpus: number; readonly memoryBytes: number },
): { Memory: number; MemorySwap: number; NanoCpus: number } {
  const memory = Math.min(limits.memoryMib * 1_048_576, machine.memoryBytes)
  return {
    Memory: memory,
    MemorySwap: memory,
    NanoCpus: Math.round(Math.min(limits.vcpu, machine.cpus) * 1_000) * 1_000_000,
  }
}
