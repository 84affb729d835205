import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pack } from 'tar-stream'
import { findEngine } from '../../../runtime/engine/discover.ts'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { LABEL, sweep } from '../../../runtime/engine/leftovers.ts'
import { AGENT_PATH, agentImage } from '../../../runtime/image/agent-image.ts'
import { HashCache } from '../../../runtime/image/hash-cache.ts'
import { IMAGE_LABEL, type PreparedImage, type PrepareOptions, prepareImage } from '../../../runtime/image/image.ts'
import type { MoorageError } from '../../../runtime/protocol/errors.ts'

const BASE = process.env.MOORAGE_TEST_BASE_BUSYBOX ?? 'busybox'
/** Loopback, where no registry is: no test asks a real one. */
const NOWHERE = '127.0.0.1:1/nope'
const session = randomUUID()
const project = `test-${session.slice(0, 8)}`
/** No earlier run has it, so no builder has its step in a cache. */
const WORDS = `words of ${session}`

let engine: Engine
before(async () => {
  engine = await findEngine()
})
after(async () => {
  await sweep(engine, session)
  const ours = await engine.images.list([IMAGE_LABEL])
  for (const image of ours.filter((one) => one.labels[IMAGE_LABEL]?.startsWith(`${project}/`))) {
    await engine.images.remove(image.id, { force: true })
  }
  engine.close()
})

/** A class with a context of these files. */
async function makeClass(files: Record<string, string>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'moorage-image-'))
  const className = `C${randomUUID().slice(0, 8)}`
  const cache = new HashCache()
  const write = async (name: string, text: string) => {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
  for (const [name, text] of Object.entries(files)) await write(name, text)
  const progress: string[] = []
  const output: string[] = []
  return {
    folder,
    className,
    write,
    progress,
    output,
    prepare: (
      options: Partial<PrepareOptions> & { dockerfile?: string; context?: string } = {},
    ): Promise<PreparedImage> => {
      const { dockerfile = 'Dockerfile', context = '.', ...rest } = options
      const source = { dockerfile: path.join(folder, dockerfile), context: path.join(folder, context), args: {} }
      return prepareImage(engine, source, {
        project,
        className,
        cache,
        buildArgs: { BASE },
        onProgress: ({ step, steps, text }) => progress.push(step === undefined ? text : `${step}/${steps} ${text}`),
        onOutput: (line) => output.push(line),
        ...rest,
      })
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

/** What a line of shell writes in a container of an image. */
async function said(image: PreparedImage, line: string): Promise<string> {
  const id = await engine.createContainer({
    Image: image.image,
    Entrypoint: ['/bin/sh', '-c', line],
    Labels: { [LABEL.session]: session },
    HostConfig: { NetworkMode: 'none' },
  })
  const { exit } = await engine.wait(id)
  await engine.start(id)
  await exit
  let text = ''
  for await (const { bytes } of engine.logs(id)) text += bytes.toString()
  await engine.remove(id)
  return text.trim()
}

const failure = (promise: Promise<unknown>): Promise<MoorageError> =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  )

const HEAD = 'ARG BASE=node:22-alpine\nFROM $BASE\n'

describe('an image from a Dockerfile', () => {
  it('is built once, with its progress, and found after that', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD}COPY a /a\nRUN cat /a\nENV X=1\nCMD ["cat", "/a"]\n`,
      a: WORDS,
    })
    const built = await one.prepare()
    assert.equal(built.how, 'built')
    assert.match(
      built.reference,
      new RegExp(`^moorage/${project}-${one.className.toLowerCase()}:${built.digest.slice(0, 12)}$`),
    )
    assert.deepEqual(one.progress.slice(1), [
      '1/6 ARG BASE=node:22-alpine',
      '2/6 FROM $BASE',
      '3/6 COPY a /a',
      '4/6 RUN cat /a',
      '5/6 ENV X=1',
      '6/6 CMD ["cat", "/a"]',
    ])
    assert.ok(one.output.includes(WORDS))
    assert.deepEqual(built.info.cmd, ['cat', '/a'])
    assert.equal(built.info.labels[IMAGE_LABEL], `${project}/${one.className}`)
    one.progress.length = 0
    const found = await one.prepare()
    assert.deepEqual([found.how, found.image, one.progress], ['present', built.image, []])
  })

  it('is another when its content is', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}COPY a /a\n`, a: '1' })
    const first = await one.prepare()
    await one.write('a', '2')
    const second = await one.prepare()
    assert.equal(second.how, 'built')
    assert.notEqual(second.image, first.image)
    assert.equal(await said(second, 'cat /a'), '2')
  })

  it('is built again when the base of that name became another', async () => {
    const base = `moorage-test-base:${session.slice(0, 8)}`
    const import_ = async (text: string) => {
      const tar = pack()
      tar.entry({ name: 'base' }, text)
      tar.finalize()
      const chunks: Buffer[] = []
      for await (const chunk of tar) chunks.push(chunk as Buffer)
      await engine.images.import(Buffer.concat(chunks), { reference: base })
    }
    await using one = await makeClass({ Dockerfile: `${HEAD}COPY a /a\n`, a: '1' })
    await import_('1')
    const first = await one.prepare({ buildArgs: { BASE: base } })
    assert.equal((await one.prepare({ buildArgs: { BASE: base } })).how, 'present')
    await import_('2')
    const second = await one.prepare({ buildArgs: { BASE: base } })
    assert.equal(second.how, 'built')
    assert.equal(second.reference, first.reference)
    await engine.images.remove(second.reference)
    await engine.images.remove(first.image)
    await engine.images.remove(base)
  })

  it('has the files of its context as they are, and none that are left out', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD}COPY . /app/\n`,
      '.dockerignore': 'Dockerfile\n.dockerignore\n**/*.log\n!keep.log',
      'run.sh': '',
      'a.log': '',
      'keep.log': '',
      'b/c.log': '',
      'b/d': '',
    })
    await chmod(path.join(one.folder, 'run.sh'), 0o751)
    await symlink('b/d', path.join(one.folder, 'link'))
    const image = await one.prepare()
    assert.equal(
      await said(image, 'cd /app; find . | sort; stat -c %a run.sh; readlink link'),
      '.\n./b\n./b/d\n./keep.log\n./link\n./run.sh\n751\nb/d',
    )
  })

  it('may have its Dockerfile outside of its context, and several stages', async () => {
    await using one = await makeClass({
      'docker/Dockerfile': `${HEAD.trim()} AS build\nRUN echo made > /made\nFROM scratch\nCOPY --from=build /made /\nFROM $BASE AS last\nCOPY . /app/\nCOPY --from=build /made /made\n`,
      'app/a': '1',
    })
    const image = await one.prepare({ dockerfile: 'docker/Dockerfile', context: 'app' })
    assert.equal(await said(image, 'ls -A /app; cat /made'), 'a\nmade')
    const early = await one.prepare({ dockerfile: 'docker/Dockerfile', context: 'app', target: 'build' })
    assert.equal(await said(early, 'ls -d /app 2> /dev/null || cat /made'), 'made')
  })

  it('built by BuildKit has no ignore file either', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD}RUN --mount=type=cache,target=/c true\nCOPY . /app/\n`,
      '.dockerignore': '.dockerignore\nb',
      a: '',
      b: '',
    })
    assert.equal(await said(await one.prepare(), 'ls -A /app'), 'Dockerfile\na')
  })

  it('is built by BuildKit where its Dockerfile needs it', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD}COPY a /a\nRUN --mount=type=cache,target=/c echo cached; cat /a\n`,
      a: WORDS,
    })
    const image = await one.prepare()
    assert.equal(await said(image, 'cat /a'), WORDS)
    assert.deepEqual(one.progress.slice(-1), ['4/4 RUN --mount=type=cache,target=/c echo cached; cat /a'])
    assert.ok(one.output.includes(WORDS))
    await one.write('Dockerfile', `${HEAD}\nRUN --mount=type=cache,target=/c true\n\nRUN echo oops; exit 4\n`)
    const failed = await failure(one.prepare())
    assert.deepEqual([failed.code, failed.detail.line, failed.detail.exitCode], ['build-failed', 6, 4])
    assert.deepEqual(failed.detail.lastOutput, ['oops'])
  })

  it('is built without the stages that it does not need', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD.trim()} AS test\nRUN exit 1\nFROM $BASE\nCOPY a /a\n`,
      a: WORDS,
    })
    assert.equal(await said(await one.prepare(), 'cat /a'), WORDS)
  })

  it('can be given up while it is built', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}RUN echo begun; sleep 1000\n` })
    const abort = new AbortController()
    const onOutput = (line: string) => line === 'begun' && abort.abort(new Error('enough'))
    await assert.rejects(one.prepare({ signal: abort.signal, onOutput }), /enough/)
  })
})

describe('a build that fails', () => {
  const UNREACHABLE =
    /:4: the base image 127\.0\.0\.1:1\S+:1 is not on this machine, and its registry cannot be reached \(.*\)\.$/
  const cases: [what: string, lines: string, line: number, message: RegExp][] = [
    [
      'a command',
      'RUN true\n\n# why\nRUN echo one && \\\n  echo two >&2; exit 3\n',
      6,
      /:6: RUN echo one && echo two >&2; exit 3 failed with exit code 3\.$/,
    ],
    ['a file that is not in the context', 'COPY a /a\nCOPY nope /nope\n', 4, /:4: COPY nope \/nope failed: .*nope/],
    ['an instruction that is none', 'RUN true\nRUNN true\n', 4, /:4: unknown instruction: RUNN$/],
    ['an instruction without what it needs', '\n\nENV\n', 5, /:5: ENV requires/],
    ['a base that cannot be had', `RUN true\nFROM ${NOWHERE}:1\n`, 4, UNREACHABLE],
  ]
  for (const [what, lines, line, message] of cases) {
    it(`by ${what} names its line`, async () => {
      await using one = await makeClass({ Dockerfile: HEAD + lines, a: '' })
      const error = await failure(one.prepare())
      assert.deepEqual(
        [error.code, error.detail.line, error.detail.file],
        ['build-failed', line, path.join(one.folder, 'Dockerfile')],
      )
      assert.match(error.message, message)
    })
  }

  it('shows the last lines that it wrote', async () => {
    await using one = await makeClass({
      Dockerfile: `${HEAD}RUN for i in $(seq 30); do echo $i; done; echo bad; exit 1\n`,
    })
    const { detail } = await failure(one.prepare())
    assert.deepEqual(detail.lastOutput, [...Array.from({ length: 19 }, (_, i) => String(i + 12)), 'bad'])
    assert.equal(detail.exitCode, 1)
  })

  it('for want of space on the disk says so', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}RUN echo a > /dev/full\n` })
    const error = await failure(one.prepare())
    assert.deepEqual([error.code, error.detail.line], ['disk-full', 3])
    assert.match(error.advice[0] ?? '', /docker system/)
  })

  it('without a Dockerfile, or with an empty one, says so', async () => {
    await using one = await makeClass({ Dockerfile: '# nothing\n', 'a.Dockerfile': 'ARG A\n' })
    assert.equal((await failure(one.prepare({ dockerfile: 'Nope' }))).code, 'dockerfile-missing')
    for (const dockerfile of ['Dockerfile', 'a.Dockerfile']) {
      const error = await failure(one.prepare({ dockerfile }))
      assert.equal(error.code, 'build-failed')
      assert.match(error.message, /has no FROM/)
    }
  })

  it('leaves the image before it in place', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}RUN echo 1 > /a\n` })
    const good = await one.prepare()
    await one.write('Dockerfile', `${HEAD}RUN exit 1\n`)
    await failure(one.prepare())
    assert.equal(await said(good, 'cat /a'), '1')
  })
})

describe('images of older contents', () => {
  it('go, except the last one, those in use, and those with a name of their own', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}COPY a /a\n`, a: '0' })
    const images: PreparedImage[] = []
    let used = ''
    for (let i = 0; i < 5; i++) {
      await one.write('a', String(i))
      const image = await one.prepare()
      images.push(image)
      if (i === 0) await engine.images.tag(image.image, `moorage-test-mine:${project}`)
      if (i === 1) used = await engine.createContainer({ Image: image.image, Labels: { [LABEL.session]: session } })
    }
    const there = await Promise.all(images.map(async ({ image }) => (await engine.images.inspect(image)) !== undefined))
    assert.deepEqual(there, [true, true, false, true, true])
    await engine.remove(used)
    await engine.images.remove(`moorage-test-mine:${project}`)
  })
})

describe('contents that make the same image', () => {
  it('leave one name for it', async () => {
    await using one = await makeClass({ Dockerfile: `${HEAD}COPY a /a\n`, a: WORDS, b: '1' })
    const first = await one.prepare()
    await one.write('b', '2')
    const second = await one.prepare()
    assert.equal(second.image, first.image)
    assert.deepEqual(second.info.tags.toSorted(), [first.reference, second.reference].toSorted())
    assert.deepEqual((await engine.images.inspect(second.image))?.tags, [second.reference])
  })
})

describe('an image by its reference', () => {
  const options = { project, className: 'R', cache: new HashCache() }

  it('is used when it is there', async () => {
    const image = await prepareImage(engine, { reference: BASE }, options)
    assert.equal(image.how, 'present')
    assert.equal(image.image, (await engine.images.inspect(BASE))?.id)
  })

  it('that no registry gives is named', async () => {
    const progress: string[] = []
    const promise = prepareImage(
      engine,
      { reference: `${NOWHERE}:1` },
      { ...options, onProgress: ({ text }) => progress.push(text) },
    )
    const error = await failure(promise)
    assert.equal(error.code, 'image-not-found')
    assert.match(error.message, /127\.0\.0\.1:1\/nope:1/)
    assert.deepEqual(progress, [`Pulling ${NOWHERE}:1`])
  })
})

describe('an image for another platform', () => {
  it('is named before anything runs, unless that is switched off', async () => {
    await using one = await makeClass({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: session })
    const platform = `linux/${engine.about.arch === 'amd64' ? 's390x' : 'amd64'}`
    const read = async () => ''
    const error = await failure(one.prepare({ platform, read }))
    assert.equal(error.code, 'image-platform')
    assert.match(error.message, new RegExp(`is for ${platform}, and the engine runs linux/${engine.about.arch}`))
    const anyway = await one.prepare({ platform, read, anyPlatform: true })
    assert.deepEqual([anyway.how, anyway.warnings.length], ['present', 1])
  })
})

describe('the image of our program', () => {
  it('is made once, from the file for the engine, and runs', { skip: process.platform !== 'linux' }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'moorage-agent-'))
    await copyFile('/bin/busybox', path.join(folder, `moorage-agent-${engine.about.arch}`))
    const reference = await agentImage(engine, folder)
    assert.equal(await agentImage(engine, folder), reference)
    const id = await engine.createContainer({ Image: reference, Cmd: ['true'], Labels: { [LABEL.session]: session } })
    assert.deepEqual((await engine.images.inspect(reference))?.entrypoint, [AGENT_PATH])
    const { exit } = await engine.wait(id)
    await engine.start(id)
    // busybox under a name of none of its programs.
    assert.equal((await exit).exitCode, 127)
    await engine.remove(id)
    await engine.images.remove(reference)
    await rm(folder, { recursive: true })
    assert.equal((await failure(agentImage(engine, '/nope'))).code, 'image-platform')
  })
})
