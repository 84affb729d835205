import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CLAIM,
  type Command,
  CommandFlag,
  encodeClaim,
  encodeCommand,
  Stream,
} from '../../../runtime/protocol/agent.ts'
import { FrameReader, SECRET_BYTES, WIRE_VERSION } from '../../../runtime/protocol/frames.ts'

const COMMAND: Command = {
  argv: ['sh', '-c', 'echo "ü"'],
  env: { PATH: '/bin', EMPTY: '' },
  cwd: '/app',
  user: 'node',
  flags: CommandFlag.STDIN | CommandFlag.PTY,
  cols: 80,
  rows: 0x0102,
}

/** As the agent reads it: five numbers, then strings up to NUL. */
function read(bytes: Uint8Array): { numbers: number[]; strings: string[] } {
  const buffer = Buffer.from(bytes)
  const strings = buffer.subarray(10).toString().split('\0')
  assert.equal(strings.pop(), '', 'every string ends with NUL')
  return { numbers: [0, 2, 4, 6, 8].map((at) => buffer.readUInt16LE(at)), strings }
}

describe('a command', () => {
  it('is flags, size and counts, then folder, user, arguments and environment', () => {
    assert.deepEqual(read(encodeCommand(COMMAND)), {
      numbers: [17, 80, 0x0102, 3, 2],
      strings: ['/app', 'node', 'sh', '-c', 'echo "ü"', 'PATH=/bin', 'EMPTY='],
    })
  })

  it('keeps empty strings in their place', () => {
    const bare = { ...COMMAND, argv: ['', ''], env: {}, cwd: '', user: '', flags: 0 }
    assert.deepEqual(read(encodeCommand(bare)).strings, ['', '', '', ''])
  })

  for (const part of [{ cwd: '/a\0b' }, { user: '\0' }, { argv: ['a', 'b\0'] }, { env: { A: '1\0B=2' } }]) {
    it(`has no NUL in ${Object.keys(part)[0]}`, () => {
      assert.throws(() => encodeCommand({ ...COMMAND, ...part }), { name: 'RangeError' })
    })
  }
})

describe('a claim', () => {
  it('is one frame with version, secret, and where the gateway takes agents', () => {
    const secret = new Uint8Array(SECRET_BYTES).fill(7)
    const [frame] = new FrameReader().push(encodeClaim(secret, '10.213.0.2', 7_002))
    assert.deepEqual([frame?.type, frame?.id], [CLAIM, 0])
    const hex = Buffer.from(frame?.payload ?? []).toString('hex')
    assert.equal(hex, `0${WIRE_VERSION}${'07'.repeat(SECRET_BYTES)}0ad500025a1b`)
  })
})

describe('the streams of an id', () => {
  it('have the numbers that the wire says', () => {
    assert.deepEqual({ ...Stream }, { CONNECTION: 0, STDOUT: 1, STDERR: 2 })
  })
})
