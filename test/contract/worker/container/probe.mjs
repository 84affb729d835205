// What runs in the containers of the contract: it does whatever a sentence needs and tells what it saw.
//
//     node probe.mjs [--listen [host:]port]... [--tcp port] [--after ms] [--ignore-term] [--term-code n]
//
// Without --listen it listens on 8080, without --tcp on 7000. Arguments that it does not know are there to be reported.
import { once } from 'node:events'
import { createServer } from 'node:http'
import net from 'node:net'
import { routes } from './routes.mjs'
import { upgrade } from './websocket.mjs'

const args = process.argv.slice(2)

/** All values of an option that may be given several times. */
function values(name) {
  return args.flatMap((arg, i) => (arg === name ? [args[i + 1]] : []))
}

const [afterMs = 0] = values('--after').map(Number)
const [tcpPort = '7000'] = values('--tcp')
const listen = values('--listen')
if (listen.length === 0) listen.push('8080')

process.on('SIGTERM', () => {
  console.log('SIGTERM')
  if (!args.includes('--ignore-term')) process.exit(Number(values('--term-code')[0] ?? 0))
})

/** Answers 'heard N bytes' once the other side has finished, and only then finishes. */
async function hear(socket) {
  let bytes = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    bytes += chunk.length
    socket.write(chunk)
  })
  await once(socket, 'end')
  socket.end(`heard ${bytes} bytes`)
}

net.createServer({ allowHalfOpen: true }, (socket) => void hear(socket).catch(() => {})).listen(Number(tcpPort))

setTimeout(() => {
  for (const where of listen) {
    const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(where)
    const server = createServer({ joinDuplicateHeaders: false }, (request, response) => {
      routes(request, response).catch((error) => response.writeHead(500).end(String(error)))
    })
    server.on('upgrade', upgrade)
    server.listen(Number(port), ...(host ? [host] : []), () => console.log(`listening on ${where}`))
  }
}, afterMs)
