/** The steps of a test that clicks through a window: each begins where the one before it has ended. */
import { after, before, it } from 'node:test'
import type { Person } from './person.ts'

export type Step = (name: string, run: (person: Person) => Promise<void>) => void

/**
 * Inside of `describe`: opens a window before the steps and closes it after them. Where a step fails, a picture shows the window
 * as it was, and the steps that build on it are left out.
 * @param open what is opened; what it adds to the stack goes after the window
 */
export function stepsIn(open: (stack: AsyncDisposableStack) => Promise<Person>): Step {
  const stack = new AsyncDisposableStack()
  let person: Person
  let failed: string | undefined
  before(async () => {
    person = stack.use(await open(stack))
  })
  after(() => stack[Symbol.asyncDispose]())
  return (name, run) => {
    it(name, async () => {
      if (failed !== undefined) throw new Error(`It was not tried, because "${failed}" failed.`)
      try {
        await run(person)
      } catch (error) {
        failed = name
        await person.picture(`failed-${name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60)}`).catch(() => undefined)
        throw error
      }
    })
  }
}
