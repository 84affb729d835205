/** What the generated entry imports: runs in workerd, in the developer's own Worker. */
export { moorageHold } from './hold.ts'
export { withContainer } from './instance.ts'
