import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { baseImage, hasUnusedStages, needsBuildkit, parseDockerfile } from '../../../runtime/image/dockerfile.ts'

/** The instructions as `lines NAME args`. */
function said(text: string): string[] {
  return parseDockerfile(text).instructions.map(({ name, args, line, endLine }) =>
    `${line}${endLine === line ? '' : `-${endLine}`} ${name} ${args}`.trim(),
  )
}

describe('parseDockerfile', () => {
  it('gives the instructions and their lines', () => {
    assert.deepEqual(said('# a comment\nARG BASE=node:22\n\nfrom $BASE as build\n  RUN npm ci\r\nCMD ["node", "a"]'), [
      '2 ARG BASE=node:22',
      '4 FROM $BASE as build',
      '5 RUN npm ci',
      '6 CMD ["node", "a"]',
    ])
  })

  it('joins continued lines, over comments and empty lines between them', () => {
    assert.deepEqual(said('FROM a\nRUN one && \\\n  # why\n  two \\  \n\n  && three\nRUN four'), [
      '1 FROM a',
      '2-6 RUN one && two && three',
      '7 RUN four',
    ])
  })

  it('takes the escape character that a directive sets', () => {
    assert.deepEqual(said('# escape=`\nFROM a\nRUN dir c:\\\nRUN one `\n  two'), [
      '2 FROM a',
      '3 RUN dir c:\\',
      '4-5 RUN one two',
    ])
  })

  it('takes a directive only before everything else', () => {
    assert.deepEqual(said('FROM a\n# escape=`\nRUN one \\\n two'), ['1 FROM a', '3-4 RUN one two'])
    assert.equal(parseDockerfile('# syntax=docker/dockerfile:1\nFROM a').syntax, 'docker/dockerfile:1')
    assert.equal(parseDockerfile('# just words\n# syntax=docker/dockerfile:1\nFROM a').syntax, undefined)
  })

  it('passes over the bodies of heredocs', () => {
    const text = 'FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-"one" <<two /x/\n1\n\tone\n2\ntwo\nRUN last'
    assert.deepEqual(said(text), ['1 FROM a', '2-4 RUN <<EOF', '5-9 COPY <<-"one" <<two /x/', '10 RUN last'])
    assert.ok(parseDockerfile(text).instructions[1]?.heredoc)
  })

  it('takes << for a heredoc only where there can be one', () => {
    assert.deepEqual(said('FROM a\nENV A=<<EOF\nRUN b'), ['1 FROM a', '2 ENV A=<<EOF', '3 RUN b'])
  })

  it('reads anything without complaint', () => {
    assert.deepEqual(said(''), [])
    assert.deepEqual(said('RUN <<EOF\nnever ends'), ['1-2 RUN <<EOF'])
    assert.deepEqual(said('FROM a \\'), ['1 FROM a'])
  })
})

describe('baseImage', () => {
  const base = (text: string, args: Record<string, string> = {}, target?: string) =>
    baseImage(parseDockerfile(text), args, target)

  it('is that of the last stage', () => {
    assert.equal(base('FROM a\nFROM b:1'), 'b:1')
    assert.equal(base('FROM --platform=linux/amd64 a AS x'), 'a')
    assert.equal(base('FROM scratch'), undefined)
    assert.equal(base(''), undefined)
  })

  it('goes through the stages it names', () => {
    assert.equal(base('FROM a AS one\nFROM one AS Two\nFROM c\nFROM two'), 'a')
    assert.equal(base('FROM a AS one\nFROM b', {}, 'ONE'), 'a')
  })

  it('fills in arguments, given or with their defaults', () => {
    const text = 'ARG TAG=22\nARG BASE="node:${TAG}-alpine"\nFROM ${BASE}'
    assert.equal(base(text), 'node:22-alpine')
    assert.equal(base(text, { TAG: '24' }), 'node:24-alpine')
    assert.equal(base(text, { BASE: 'local' }), 'local')
    assert.equal(base('ARG A\nFROM ${A:-b}:${C:+c}1'), 'b:1')
  })

  it('does not take an argument of a stage for a global one', () => {
    assert.equal(base('ARG A=a\nFROM x\nARG A=b\nFROM $A'), 'a')
  })
})

describe('needsBuildkit', () => {
  const needs = (text: string) => needsBuildkit(parseDockerfile(text))

  it('is true for what the classic builder does not know', () => {
    for (const line of [
      'RUN --mount=type=cache,target=/x a',
      'RUN --network=none a',
      'COPY --link a b',
      'COPY --from=a --chmod=755 a b',
      'RUN <<E\nE',
    ]) {
      assert.equal(needs(`FROM a\n${line}`), true, line)
    }
    assert.equal(needs('# syntax=docker/dockerfile:1\nFROM a'), true)
  })

  it('is false for all else', () => {
    for (const line of ['RUN npm ci --mount=x', 'COPY --from=a --chown=1:1 a b', 'RUN echo --link', 'ENV A=--mount']) {
      assert.equal(needs(`FROM a\n${line}`), false, line)
    }
  })
})

describe('hasUnusedStages', () => {
  const unused = (text: string, target?: string) => hasUnusedStages(parseDockerfile(text), {}, target)

  it('is true where the last stage does without one', () => {
    assert.equal(unused('FROM a AS test\nFROM b'), true)
    assert.equal(unused('FROM a AS one\nFROM one AS test\nFROM one'), true)
  })

  it('counts what is taken by name, by number and by a mount', () => {
    assert.equal(unused('FROM a'), false)
    assert.equal(unused('FROM a AS one\nFROM one'), false)
    assert.equal(unused('FROM a AS one\nFROM b\nCOPY --from=One /a /a'), false)
    assert.equal(unused('FROM a\nFROM b\nCOPY --chown=1 --from=0 /a /a'), false)
    assert.equal(unused('FROM a AS one\nFROM b\nRUN --mount=type=bind,from=one,target=/a b'), false)
  })

  it('looks only as far as the target', () => {
    assert.equal(unused('FROM a AS one\nFROM b', 'one'), false)
  })
})
