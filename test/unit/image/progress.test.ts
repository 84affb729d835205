import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDockerfile } from '../../../runtime/image/dockerfile.ts'
import { BuildLog, type ImageProgress, LAST_LINES, PullLog } from '../../../runtime/image/progress.ts'

const FILE = parseDockerfile('ARG BASE=a\nFROM $BASE\nRUN npm ci\nCMD ["x"]')

function followed(file = FILE) {
  const progress: string[] = []
  const output: string[] = []
  const log = new BuildLog(file, {
    onProgress: (one) => progress.push(`${one.step}/${one.steps} ${one.text}`),
    onOutput: (line) => output.push(line),
  })
  return { log, progress, output }
}

/** As Docker 20.10 wrote it; our label is the fifth step. */
const CLASSIC = [
  'Step 1/5 : ARG BASE=a\n',
  'Step 2/5 : FROM $BASE\n ---> eb7680f66f19\n',
  'Step 3/5 : RUN npm ci\n ---> Running in 422060811c25\n',
  'added 3 packages\n\u001b[91mnpm warn old\n\u001b[0m',
  'Removing intermediate container 422060811c25\n ---> 56c080aeaf83\n',
  'Step 4/5 : CMD ["x"]\n',
  'Step 5/5 : LABEL moorage.image=p/C\n',
  'Successfully built 56c080aeaf83\nSuccessfully tagged moorage/p-c:1\n',
]

describe('BuildLog', () => {
  it('tells the steps of the Dockerfile, and not our own', () => {
    const { log, progress } = followed()
    for (const text of CLASSIC) log.push(text)
    assert.deepEqual(progress, ['1/4 ARG BASE=a', '2/4 FROM $BASE', '3/4 RUN npm ci', '4/4 CMD ["x"]'])
    assert.equal(log.instruction?.line, 4)
  })

  it('tells what the build wrote, and not what the builder says of itself', () => {
    const whole = followed()
    for (const text of CLASSIC) whole.log.push(text)
    assert.deepEqual(
      whole.output.filter((line) => !line.startsWith('Step')),
      ['added 3 packages', 'npm warn old'],
    )
    const cut = followed()
    for (const char of CLASSIC.join('')) cut.log.push(char)
    assert.deepEqual(cut.output, whole.output)
  })

  it('does not mix output without an end of line with what the builder says next', () => {
    const { log, output } = followed()
    for (const text of ['Step 3/5 : RUN npm ci\n', 'no end', ' ---> 56c080aeaf83\n', 'again', 'Step 4/5 : CMD ["x"]\n'])
      log.push(text)
    assert.deepEqual(output, ['Step 3/4 : RUN npm ci', 'no end', 'again', 'Step 4/4 : CMD ["x"]'])
  })

  it('understands Podman', () => {
    const { log, progress } = followed()
    log.push('STEP 1/4: ARG BASE=a\nSTEP 2/4: FROM a\nCOMMIT x\n--> 1234\n')
    assert.deepEqual(progress, ['1/4 ARG BASE=a', '2/4 FROM a'])
  })

  it('keeps the last lines, and of a line that is drawn over what was drawn last', () => {
    const { log } = followed()
    for (let i = 0; i < LAST_LINES + 5; i++) log.push(`line ${i}\n`)
    log.push('10 %\r50 %\r100 %\nno end')
    log.end()
    assert.equal(log.lastOutput.length, LAST_LINES)
    assert.deepEqual(log.lastOutput.slice(-3), ['line 24', '100 %', 'no end'])
  })
})

describe('PullLog', () => {
  it('tells layers and bytes in one line', () => {
    const told: ImageProgress[] = []
    const log = new PullLog('node:22', (progress) => told.push(progress))
    log.push({ status: 'Pulling from library/node', id: '22' })
    assert.equal(told.length, 0)
    log.push({ status: 'Pulling fs layer', id: 'a' })
    log.push({ status: 'Already exists', id: 'b' })
    log.push({ status: 'Downloading', id: 'a', progressDetail: { current: 1_500_000, total: 3_000_000 } })
    assert.equal(told.at(-1)?.text, 'Pulling node:22: 1 of 2 layers, 1.5 of 3.0 MB')
    log.push({ status: 'Download complete', id: 'a' })
    log.push({ status: 'Pull complete', id: 'a' })
    assert.equal(told.at(-1)?.text, 'Pulling node:22: 2 of 2 layers, 3.0 of 3.0 MB')
    log.push({ status: 'Digest: sha256:1' })
    assert.equal(told.length, 5)
  })
})
