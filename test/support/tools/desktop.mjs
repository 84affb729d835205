// Whether a desktop VS Code can open a window here, and which.
import process from 'node:process'
import { find } from './command.mjs'

/**
 * @typedef {object} Machine
 * @property {NodeJS.Platform} platform
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} isRoot
 */

/** @returns {Machine} */
export const thisMachine = () => ({
  platform: process.platform,
  env: process.env,
  isRoot: process.platform !== 'win32' && process.getuid?.() === 0,
})

/** Whether there is a screen for windows; only Linux says so. @param {Pick<Machine, 'platform' | 'env'>} machine */
export function hasDisplay({ platform, env }) {
  return platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}

/**
 * The path of the command `code` where it opens windows here; undefined where there is none, there is no screen, or it is
 * run by root, for whom VS Code starts only with a profile of its own.
 * @param {Machine} [machine] @param {(name: string) => string | undefined} [look]
 */
export function desktopCode(machine = thisMachine(), look = find) {
  if (!hasDisplay(machine) || (machine.platform === 'linux' && machine.isRoot)) return undefined
  return look(machine.platform === 'win32' ? 'code.cmd' : 'code')
}
