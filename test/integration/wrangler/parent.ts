// A parent of a wrangler child, to be killed: serves a project and prints the child's process id.
import { join } from 'node:path'
import { openChild } from '../../../runtime/wrangler/child.ts'

const [dist = '', project = ''] = process.argv.slice(2)
const child = await openChild({ dist, config: join(project, 'wrangler.jsonc'), session: 'orphan' })
await child.start({
  entry: {
    base: 'http://127.0.0.1:9',
    token: 'secret',
    workerModule: join(dist, 'worker.js'),
    folder: join(project, '.wrangler/moorage'),
  },
  port: 0,
  host: '127.0.0.1',
  inspectorPort: 0,
  logLevel: 'info',
  vars: {},
})
process.stdout.write(`${child.pid}\n`)
