/** The relay thread: all bytes of containers, and nothing that decides about their lives. */
import { parentPort } from 'node:worker_threads'
import { answerName, answerNamesOver } from '../egress/names.ts'
import { ClientLink } from '../exec/client.ts'
import { People } from '../exec/people.ts'
import type { ExecPlace } from '../exec/process.ts'
import { Processes } from '../exec/processes.ts'
import { ExecRequests } from '../exec/requests.ts'
import type { AgentLink } from '../link/agent.ts'
import { GatewayLink } from '../link/gateway.ts'
import { LoopbackServer } from '../link/server.ts'
import { WorkerLink } from '../link/worker.ts'
import { Verdict } from '../protocol/gateway.ts'
import type { RelayCalls, RelayNews, SessionCalls } from '../protocol/relay.ts'
import { joinCalls } from './calls.ts'
import { HeldContainers } from './containers.ts'

const port = parentPort
if (port === null) throw new Error('The relay runs as a thread of a session.')

const online = new Set<string>()
let gateway: GatewayLink | undefined
let gatewaySince = 0
/** Agents that lost their link with an older gateway have come back through this one by then. */
const GATEWAY_SETTLED_MS = 4_000

const session = joinCalls<SessionCalls, RelayCalls>(
  port,
  {
    listen: async ({ token, clientToken, folder }) => {
      processes.folder = folder
      const server = new LoopbackServer(token, clientToken, {
        request: (request, response) => workers.request(request, response),
        upgrade: (request, socket, head) =>
          request.url === '/client' ? clients.upgrade(request, socket, head) : workers.upgrade(request, socket, head),
        connect: (request, socket, head) => void workers.connect(request, socket, head),
      })
      return { port: await server.listen() }
    },
    openGateway: async ({ host, port: gatewayPort, secret }) => {
      gateway?.close()
      const link = new GatewayLink({ host, port: gatewayPort }, secret, {
        onAgent: (socket, rest) => containers.admit(socket, rest),
        onFlow: (socket, flow, rest) => {
          if (flow.destinationPort !== 53) {
            socket.end(Uint8Array.of(Verdict.REFUSE))
            return
          }
          socket.write(Uint8Array.of(Verdict.TAKE))
          answerNamesOver(socket, rest, () => online.has(flow.source))
        },
        onDatagram: (datagram) => {
          void answerName(datagram.bytes, online.has(datagram.source)).then((answer) => {
            if (answer !== undefined) datagram.answer(answer)
          })
        },
        onLost: (message) => {
          if (gateway !== link) return
          gateway = undefined
          tell({ news: 'gateway-down', message })
        },
      })
      await link.open()
      gateway = link
      gatewaySince = performance.now()
      await Promise.all([...online].map((address) => link.internet(address, true)))
    },
    internet: async ({ address, allowed }) => {
      if (online.has(address) === allowed) return
      if (allowed) online.add(address)
      else online.delete(address)
      await gateway?.internet(address, allowed)
    },
    refuse: async ({ network }) => {
      await gateway?.refuse(network)
    },
    hold: ({ engine, container }) => containers.hold(engine, container),
    claim: ({ container, secret, gatewayAddress }) => containers.claim(container, secret, gatewayAddress),
    release: ({ container, why }) => containers.release(container, why),
    run: ({ container, command, object, life }) => containers.run(container, command, object, life),
    signal: ({ container, signal }) => linkOf(container).signal(signal),
    ask: ({ container, fact }) => containers.link(container)?.ask(fact) ?? '',
    openProcess: ({ object, open }) =>
      people.openRead(
        object,
        { ...open, cwd: open.cwd, user: open.user, pty: open.tty, stdout: 'pipe', stderr: 'pipe' },
        (process, part) => tell({ news: 'process-output', process, part }),
        (process) => tell({ news: 'process-read', process }),
        (text) => tell({ news: 'process-note', object, text }),
      ),
    writeProcess: ({ process, bytes }) => people.write(process, bytes),
    endProcess: ({ process }) => processes.get(process).end(),
    signalProcess: ({ process, signal }) => processes.get(process).kill(signal),
    resizeProcess: ({ process, cols, rows }) => processes.get(process).resize(cols, rows),
    takenOfProcess: ({ process, bytes, follow }) => people.taken(process, bytes, follow),
    outputOfProcess: ({ process, follow }) =>
      follow === undefined
        ? people.kept(process)
        : people.follow(process, follow, (part, lostBytes) =>
            tell({ news: 'process-output', process, part, follow, lostBytes }),
          ),
    unfollowProcess: ({ follow }) => people.unfollow(follow),
    bind: ({ object, container }) => workers.bind(object, container === null ? undefined : containers.link(container)),
    evict: ({ instance }) => workers.evict(instance),
  },
  () => undefined,
)

const tell = (news: RelayNews): void => session.tell(news)
const containers = new HeldContainers(
  tell,
  () => gateway !== undefined && performance.now() - gatewaySince > GATEWAY_SETTLED_MS,
)
const processes = new Processes((process) => tell({ news: 'process', process }))
const execs = new ExecRequests(
  processes,
  (instance) => placeOf(instance.object.key),
  async (stack) => (await session.ask.source({ stack })) ?? undefined,
)
const people = new People({
  processes,
  place: placeOf,
  busybox: (object) => session.ask.busybox({ object }),
})
const clients = new ClientLink(
  people,
  (text) => session.ask.find({ text }),
  (object, life) => session.ask.why({ object, life }).catch(() => null),
)
const workers = new WorkerLink({
  ask: session.ask,
  onNote: (instance, note) => tell({ news: 'note', instance, note }),
  onExec: (instance, request, response) => execs.request(instance, request, response),
  onExecAhead: (instance, ahead) => execs.ahead(instance, ahead),
  onDetached: (instance) => {
    execs.detached(instance)
    tell({ news: 'detached', instance })
  },
  onRefused: (object, port) => tell({ news: 'refused', object, port }),
  onOpen: (object, open) => tell({ news: 'port-open', object, open }),
})

async function placeOf(object: string): Promise<ExecPlace | undefined> {
  const link = await workers.linkOf(object)
  return link === undefined ? undefined : containers.placeOf(link)
}

function linkOf(container: string): AgentLink {
  const link = containers.link(container)
  if (link === undefined) throw new Error('The container has ended.')
  return link
}
