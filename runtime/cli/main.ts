/** The command `moorage`. */
import { parseCommand } from './arguments.ts'
import { dev } from './dev.ts'
import { exec } from './exec.ts'

declare const MOORAGE_VERSION: string

const command = parseCommand(process.argv.slice(2))
switch (command.command) {
  case 'help':
    process.stdout.write(command.text)
    break
  case 'version':
    process.stdout.write(`${MOORAGE_VERSION}\n`)
    break
  case 'wrong':
    process.stderr.write(`${command.message}\nmoorage --help says what there is.\n`)
    process.exitCode = 2
    break
  case 'exec':
    process.exit(await exec(command.exec))
    break
  case 'dev':
    process.exit(await dev(command.dev))
}
