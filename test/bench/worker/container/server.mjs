// Bodies of any size over kept connections: /<bytes>. The same program runs in a container and on loopback.

import { once } from 'node:events'
import { createServer } from 'node:http'

const part = Buffer.alloc(256 * 1024, 'x')

const server = createServer(async (request, response) => {
  let left = Number(request.url.slice(1)) || 0
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': left })
  for (; left > part.length; left -= part.length) {
    if (!response.write(part)) await once(response, 'drain')
  }
  response.end(part.subarray(0, left))
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), process.argv[3], () => process.stdout.write(`port ${server.address().port}\n`))
