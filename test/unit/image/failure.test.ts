import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { streamError } from '../../../runtime/engine/errors.ts'
import { parseDockerfile } from '../../../runtime/image/dockerfile.ts'
import { buildError } from '../../../runtime/image/failure.ts'
import { BuildLog } from '../../../runtime/image/progress.ts'
import type { MoorageError } from '../../../runtime/protocol/errors.ts'

const FILE = parseDockerfile('ARG BASE=node:22\nFROM $BASE AS base\nRUN true\n')

/** What is told of a build whose FROM failed with these words of the engine. */
function ofBase(said: string, args: Readonly<Record<string, string>> = {}): string[] {
  const log = new BuildLog(FILE, { onProgress: () => {}, onOutput: () => {} })
  const failed = FILE.instructions[1]
  const error = streamError(said, 'build')
  const told = buildError(error, { file: FILE, args, path: 'Dockerfile', log, failed, unreadable: undefined })
  const { message, advice } = told as MoorageError
  return [message, ...advice]
}

const NETWORK =
  'Connect to the network and rebuild, or set a base that is on this machine (a build argument, where the Dockerfile has an ARG for it).'

describe('a base image that is not there', () => {
  it('and whose registry cannot be reached says so', () => {
    const said = 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host'
    assert.deepEqual(ofBase(said), [
      `Dockerfile:2: the base image node:22 is not on this machine, and its registry cannot be reached (${said}).`,
      NETWORK,
    ])
  })

  it('is named as the build arguments have it', () => {
    assert.match(ofBase('i/o timeout', { BASE: 'mine:1' })[0] ?? '', /the base image mine:1 is not on this machine/)
  })

  it('and that the registry does not have, or not for everybody, says that', () => {
    const said = 'manifest for node:22 not found: manifest unknown'
    assert.deepEqual(ofBase(said), [
      `Dockerfile:2: the base image node:22 cannot be had: ${said}`,
      'Check the name and tag of the base image; `docker login` where it is private.',
    ])
  })
})
