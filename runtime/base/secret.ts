import { randomBytes, timingSafeEqual } from 'node:crypto'

/** Length of the secrets that open a wire, in bytes (protocol/frames.ts has the same; base imports nothing). */
const SECRET_BYTES = 32

/** Makes the secret of a wire. It goes over a process's stdin, never into an environment, a label or a log. */
export function makeSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES)
}

/** Compares two secrets in a time that does not tell where they differ. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
