/** How fast containers start, against `docker run` of the same image. */
import type { Measured } from './bounds.ts'
import { interleave, took } from './interleave.ts'
import { PlainDocker } from './plain-docker.ts'
import type { BenchSession } from './running.ts'

const ROUNDS = 15
const WARM_UP = 2
const MANY = 10
const MANY_ROUNDS = 5

export async function startWarm(bench: BenchSession): Promise<Measured> {
  await using plain = await PlainDocker.on(await bench.image('Small'))
  return await interleave(
    ROUNDS,
    WARM_UP,
    async () => {
      await bench.warm()
      const name = bench.newName()
      const time = await bench.ask<number>('Small', name, 'start')
      await bench.ask('Small', name, 'destroy')
      return time
    },
    plain.run,
  )
}

/** Another object has just taken the warm container. */
export async function startCold(bench: BenchSession): Promise<Measured> {
  await using plain = await PlainDocker.on(await bench.image('Small'))
  return await interleave(
    ROUNDS,
    WARM_UP,
    async () => {
      await bench.warm()
      const names = [bench.newName(), bench.newName()]
      const times = await Promise.all(names.map((name) => bench.ask<number>('Small', name, 'start')))
      for (const name of names) await bench.ask('Small', name, 'destroy')
      return Math.max(...times)
    },
    plain.run,
  )
}

export async function startAgain(bench: BenchSession): Promise<Measured> {
  await using plain = await PlainDocker.on(await bench.image('Small'))
  const name = bench.newName()
  await bench.ask('Small', name, 'start')
  const measured = await interleave(
    ROUNDS,
    WARM_UP,
    async () => {
      await bench.warm()
      return bench.ask<number>('Small', name, 'again')
    },
    plain.run,
  )
  await bench.ask('Small', name, 'destroy')
  return measured
}

export async function startTen(bench: BenchSession): Promise<Measured> {
  await using plain = await PlainDocker.on(await bench.image('Small'))
  return await interleave(
    MANY_ROUNDS,
    1,
    async () => {
      await bench.warm()
      const names = Array.from({ length: MANY }, () => bench.newName())
      const time = await took(() => Promise.all(names.map((name) => bench.ask('Small', name, 'start'))))
      await Promise.all(names.map((name) => bench.ask('Small', name, 'destroy')))
      return time
    },
    () => plain.runMany(MANY),
  )
}
