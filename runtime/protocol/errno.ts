/** Why the agent could not start something (protocol/agent.ts, FAILED), in words. */

const STEPS = [
  'read its command',
  'start a process',
  'execute',
  'enter the folder',
  'get the rights to',
  'find the user for',
  'make a pipe for',
  'make a terminal for',
  'connect',
  'stay within limits for',
]
const ERRNOS: Readonly<Record<number, string>> = {
  1: 'not permitted',
  2: 'no such file or directory',
  7: 'too long: Linux takes 128 KiB in one argument or variable, and about 2 MiB in all',
  8: 'not a program for this machine (wrong architecture, or a script without #!)',
  11: 'too many processes',
  12: 'not enough memory',
  13: 'permission denied',
  20: 'not a directory',
  21: 'is a directory',
  26: 'the file is being written',
  40: 'too many links',
  79: 'its interpreter (which its first line names after #!), or its loader, is not in the image',
}
const ENOENT = 2
const ENODATA = 61

/** Why the agent could not start something: its step and errno in words. */
export function explainErrno(
  errno: number,
  step: number,
  command: { readonly argv: readonly string[]; readonly cwd: string; readonly user: string },
): string {
  const reason = (step === 5 && unknownUser(errno, command.user)) || (ERRNOS[errno] ?? `errno ${errno}`)
  const subject = step === 3 ? command.cwd : step === 5 ? command.user || 'root' : (command.argv[0] ?? '')
  const what = step === 2 ? `cannot execute "${subject}"` : `cannot ${STEPS[step] ?? 'start'} "${subject}"`
  return `${what}: ${reason}`
}

/** A name that is in no list of the image's. */
function unknownUser(errno: number, user: string): string | undefined {
  const [one, file] = user.includes(':') ? ['user or group', '/etc/passwd and /etc/group'] : ['user', '/etc/passwd']
  if (errno === ENOENT) return `no such ${one} in ${file} of the image`
  if (errno === ENODATA) return `the image has no ${file}, so that only root has a name: give a number`
  return undefined
}
