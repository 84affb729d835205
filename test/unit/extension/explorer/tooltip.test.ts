import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Target } from '../../../../extension/explorer/target.ts'
import { tooltipOf } from '../../../../extension/explorer/tooltip.ts'
import { type ObjectModel, objectKey, type ProcessId } from '../../../../runtime/protocol/model.ts'
import { ended, MINUTE, NONE, NOW, object, process, RUNNING, SANDBOX, SECOND, session } from './models.ts'

const FOLDER = 'file:///p(1)'

function tooltip(one: ObjectModel): string {
  const target: Target = { kind: 'object', folder: FOLDER, object: one.key }
  return `${tooltipOf(target, session([one]), NOW)}`
}

function link(icon: string, label: string, command: string): string {
  const args =
    '%5B%7B%22kind%22%3A%22object%22%2C%22folder%22%3A%22file%3A%2F%2F%2Fp%281%29%22%2C%22object%22%3A%22Sandbox%2Falice%22%7D%5D'
  return `[$(${icon}) ${label}](command:moorage.${command}?${args})`
}

describe('the tooltip of an object', () => {
  it('says all of one that runs', () => {
    const alice = object(
      'alice',
      { ...RUNNING, image: 'moorage/sandbox:9c41e2' },
      {
        usage: { cpu: 0.031, memoryBytes: 84_000_000 },
        ports: [
          { port: 8080, protocol: 'http' },
          { port: 9229, protocol: 'inspector' },
        ],
        alarm: { at: NOW + 9 * MINUTE + 12 * SECOND, why: 'sleepAfter' },
      },
    )
    const links = [
      link('terminal', 'Shell', 'openShell'),
      link('output', 'Logs', 'showLogs'),
      link('copy', 'Copy id', 'copyId'),
    ]
    assert.deepEqual(tooltip(alice).split('\n\n'), [
      '**alice** · Sandbox',
      '$(vm-running) Running for 12 min 8 s, since 14:02:11',
      '---',
      [
        '| | |',
        '|:--|:--|',
        '| Image | `sandbox:9c41e2`, 312 MB, basic |',
        '| CPU | 3 % of ¼ vCPU |',
        '| Memory | 84 MB of 1 GB |',
        '| Ports | 8080 (http), 9229 (inspector) |',
        '| Sleeps | in 9 min 12 s, at `sleepAfter` |',
        '| Id | `4f1c09e2…77ab` |',
      ].join('\n'),
      '---',
      links.join(' &nbsp; '),
    ])
  })

  it('tells of one that failed the reason, what to do and the last five lines of its log', () => {
    const failed = ended(
      'failed',
      { kind: 'exited', exitCode: 1 },
      { message: 'It ended with 1', advice: ['Look at its log'], lastLog: ['1', '2', '3', '4', '\u001b[31m5', 'six'] },
    )
    assert.deepEqual(tooltip(object('alice', failed)).split('\n\n').slice(0, 5), [
      '**alice** · Sandbox',
      '$(error) It ended with 1',
      'Look at its log',
      '```text\n2\n3\n4\n5\nsix\n```',
      '---',
    ])
  })

  it('tells of one that sleeps no more than is known', () => {
    assert.deepEqual(
      tooltip(object('alice', NONE, { memory: 'asleep' }))
        .split('\n\n')
        .slice(1),
      [
        '$(vm-outline) Asleep: only its storage is there',
        '---',
        '| | |\n|:--|:--|\n| Id | `4f1c09e2…77ab` |',
        '---',
        link('copy', 'Copy id', 'copyId'),
      ],
    )
  })

  it('lets nothing of the project or its containers become Markdown, a link, an icon or the end of a block', () => {
    const [head] = tooltip(object('[x](command:y) $(zap)\n# h', NONE)).split('\n')
    assert.equal(head, '**\\[x\\]\\(command\\:y\\) \\\\$\\(zap\\) \\# h** · Sandbox')
    const lastLog = ['```', '[x](command:y) $(zap)', '````\u0007']
    const failed = ended('failed', { kind: 'exited', exitCode: 1 }, { message: '<img src=x> a|b', lastLog })
    const blocks = tooltip(object('alice', failed)).split('\n\n')
    assert.equal(blocks[1], '$(error) \\<img src=x\\> a\\|b')
    assert.equal(blocks[2], "```text\n'''\n[x](command:y) $(zap)\n'''`\n```")
  })
})

describe('other tooltips', () => {
  it('tell where a process runs and who started it', () => {
    const processes = [process(48, 'cat a|b', { source: 'src/index.ts:21' })]
    const target: Target = {
      kind: 'process',
      folder: FOLDER,
      object: objectKey('Sandbox', 'alice'),
      process: 'p48' as ProcessId,
    }
    assert.deepEqual(tooltipOf(target, session([], { processes }), NOW)?.split('\n\n'), [
      '```sh\ncat a|b\n```',
      '| | |\n|:--|:--|\n| Folder | `/app` |\n| User | `root` |\n| Started by | `src/index.ts:21` |',
    ])
    assert.equal(tooltipOf(target, session([]), NOW), undefined)
  })

  it('make no icon of what stands in code', () => {
    const target = { kind: 'process', folder: FOLDER, object: objectKey('Sandbox', 'alice'), process: 'p48' } as Target
    const processes = [process(48, 'cat', { cwd: '/$(zap)|`' })]
    const text = tooltipOf(target, session([], { processes }), NOW)
    assert.equal(
      text?.split('\n').find((line) => line.includes('Folder')),
      "| Folder | `/$\u2060(zap)\\|'` |",
    )
  })

  it('tell why an image failed', () => {
    const image = { state: 'failed', message: 'no.', lastOutput: ['npm error'], advice: [] } as const
    const target: Target = { kind: 'image-failure', folder: FOLDER, className: 'Sandbox' }
    const text = tooltipOf(target, session([], { classes: [{ ...SANDBOX, image }] }), NOW)
    assert.equal(text, 'no\\.\n\n```text\nnpm error\n```')
  })

  it('are none where the row says it all', () => {
    assert.equal(tooltipOf({ kind: 'class', folder: FOLDER, className: 'Sandbox' }, session([]), NOW), undefined)
  })
})
