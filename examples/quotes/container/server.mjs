import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { accept } from './websocket.mjs'

const quotes = JSON.parse(readFileSync(new URL('./quotes.json', import.meta.url), 'utf8'))
const shelf = process.env.SHELF ?? 'unnamed'
let served = 0
let count = 0

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(value)}\n`)
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://quotes')
  const [first, id] = pathname.split('/').filter(Boolean)
  if (first === 'health') return response.end('ok')
  console.log(`${request.method} ${pathname}`)

  if (first === 'quotes' && id === undefined) return json(response, 200, quotes)
  if (first === 'quotes') {
    const quote = quotes.find((q) => String(q.id) === id)
    if (!quote) return json(response, 404, { error: `no quote ${id} on shelf ${shelf}` })
    served++
    return json(response, 200, { shelf, ...quote })
  }
  if (first === 'count') return json(response, 200, { count: ++count, pid: process.pid })
  if (first === 'slow') {
    response.writeHead(200, { 'content-type': 'text/plain' })
    for (const word of quotes[0].text.split(' ')) {
      response.write(`${word} `)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return response.end('\n')
  }
  json(response, 404, { error: `nothing at ${pathname}` })
})

// /ws sends back what it is sent, with the name of the shelf in front.
server.on('upgrade', (request, socket) => {
  if (!request.url.startsWith('/ws')) return socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
  console.log('a WebSocket opens')
  const ws = accept(request, socket)
  ws.onmessage = (text) => ws.send(`${shelf}: ${text}`)
  ws.onclose = () => console.log('a WebSocket closes')
})

const metrics = createServer((_request, response) => json(response, 200, { served, count, uptime: process.uptime() }))

metrics.listen(9090, () => {
  server.listen(8080, () => console.log(`shelf ${shelf}: ${quotes.length} quotes, listening on 8080 and 9090`))
})

process.on('SIGTERM', () => {
  console.log('SIGTERM: closing the shelf')
  process.exit(0)
})
