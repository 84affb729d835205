import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HELP, parseCommand } from '../../../runtime/cli/arguments.ts'
import { EXEC_HELP } from '../../../runtime/cli/exec-arguments.ts'

const DEV = {
  config: [],
  env: undefined,
  port: undefined,
  inspectorPort: undefined,
  logLevel: 'info',
  buildArgs: {},
  limits: true,
}
const parse = (line: string) => parseCommand(line.split(' ').filter((word) => word !== ''))
const wrong = (message: string) => ({ command: 'wrong', message })

describe('moorage dev', () => {
  it('runs with nothing said', () => {
    assert.deepEqual(parse('dev'), { command: 'dev', dev: DEV })
  })

  it('takes every option, short forms, and options before the word', () => {
    const line =
      '-c a.jsonc --config b.toml dev -e staging --port 0 --inspector-port=9229 --log-level debug ' +
      '--build-arg BASE=node:22 --build-arg FLAGS=a=b --no-limits'
    assert.deepEqual(parse(line), {
      command: 'dev',
      dev: {
        config: ['a.jsonc', 'b.toml'],
        env: 'staging',
        port: 0,
        inspectorPort: 9_229,
        logLevel: 'debug',
        buildArgs: { BASE: 'node:22', FLAGS: 'a=b' },
        limits: false,
      },
    })
  })

  it('takes the last of an option that is said twice', () => {
    assert.deepEqual(parse('dev --port 1 --port 2'), { command: 'dev', dev: { ...DEV, port: 2 } })
  })

  for (const port of ['65536', '-1', '80a', '1.5', '0x50', '']) {
    it(`is wrong with port "${port}"`, () => {
      assert.deepEqual(parse(`dev --port=${port}`), wrong('A port is a number from 0 to 65535.'))
      assert.deepEqual(parse(`dev --inspector-port=${port}`), wrong('A port is a number from 0 to 65535.'))
    })
  }

  it('is wrong with another log level or a build argument that is none', () => {
    assert.deepEqual(parse('dev --log-level loud'), wrong('--log-level is one of debug, info, warn, error.'))
    assert.deepEqual(parse('dev --build-arg BASE'), wrong('--build-arg is NAME=VALUE.'))
    assert.deepEqual(parse('dev --build-arg =x'), wrong('--build-arg is NAME=VALUE.'))
  })

  it('is wrong with an option that there is not, or one without its value', () => {
    assert.match((parse('dev --prot 80') as { message: string }).message, /^Unknown option '--prot'/)
    assert.match((parse('dev --port') as { message: string }).message, /argument missing/)
  })
})

describe('moorage', () => {
  it('says what it can where nothing is said, or help is asked for', () => {
    for (const line of ['', '--help', '-h', 'dev --help']) {
      assert.deepEqual(parse(line), { command: 'help', text: HELP }, line)
    }
  })

  it('says of exec only what exec can, and leaves --help behind -- to the command', () => {
    for (const line of ['exec --help', 'exec -h', 'exec alice --help -- ls']) {
      assert.deepEqual(parse(line), { command: 'help', text: EXEC_HELP }, line)
    }
    assert.equal(parse('exec alice -- ls --help').command, 'exec')
  })

  it('says its version', () => {
    assert.deepEqual(parse('--version'), { command: 'version' })
  })

  it('says that there is no such command', () => {
    assert.deepEqual(parse('develop'), wrong('There is no command "develop". Try: moorage dev'))
    assert.deepEqual(parse('dev wrangler.jsonc'), wrong('There is no command "dev wrangler.jsonc". Try: moorage dev'))
  })

  it('reads what stands behind exec', () => {
    const command = parse('exec Quotes/anna -- ls -la')
    assert.ok(command.command === 'exec')
    assert.deepEqual([command.exec.object, command.exec.argv], ['Quotes/anna', ['ls', '-la']])
    assert.deepEqual(parse('exec'), wrong('Which object? moorage exec Class/name -- command'))
  })

  it('has help that fits a terminal and names every option', () => {
    assert.deepEqual(
      `${HELP}${EXEC_HELP}`.split('\n').filter((line) => line.length > 100),
      [],
    )
    const options = ['--config', '--env', '--port', '--inspector-port', '--log-level', '--build-arg', '--no-limits']
    for (const option of options) assert.ok(HELP.includes(option), option)
  })
})
