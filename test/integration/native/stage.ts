/**
 * A real gateway, real sandboxes and real app containers, made the way runtime/sandbox and runtime/object make them but with
 * nothing of them in between: what is tested is the native program on an engine.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { pack } from 'tar-stream'
import { CLAIM, type Command, encodeClaim, FromAgent, OPENING_BYTES, ToAgent } from '../../../runtime/protocol/agent.ts'
import { encodeFrame, WIRE_VERSION } from '../../../runtime/protocol/frames.ts'
import { AGENT_PORT, RUNTIME_PORT } from '../../../runtime/protocol/gateway.ts'
import { all, exit, Frames, Relay, readExactly, take } from '../../support/native.ts'

const LABELS = { 'moorage.test': 'native' }
const AGENT = new URL('../../../runtime/native/bin/moorage-agent-amd64', import.meta.url)
const AGENT_ARM64 = new URL('../../../runtime/native/bin/moorage-agent-arm64', import.meta.url)
const APPLETS =
  'sh ash cat ls id env sleep sort nc httpd wget tftp nslookup grep wc head ps stat stty test true hostname pwd echo kill readlink'.split(
    ' ',
  )

type File = { readonly bytes: Uint8Array | string; readonly mode?: number } | { readonly link: string }

/** The files of an image with busybox, users and the agent. */
async function busyboxFiles(agent: Uint8Array): Promise<Record<string, File>> {
  const files: Record<string, File> = {
    'bin/busybox': { bytes: await readFile('/bin/busybox'), mode: 0o755 },
    'etc/passwd': { bytes: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n' },
    'etc/group': { bytes: 'root:x:0:\nwheel:x:10:root\napp:x:1000:\nextra:x:2000:app\n' },
    'home/app/.keep': { bytes: '' },
    'moorage-agent': { bytes: agent, mode: 0o755 },
  }
  for (const name of APPLETS) files[`bin/${name}`] = { link: 'busybox' }
  return files
}

async function importImage(docker: Docker, tag: string, files: Record<string, File>): Promise<void> {
  const tar = pack()
  for (const [name, file] of Object.entries(files)) {
    if ('link' in file) tar.entry({ name, type: 'symlink', linkname: file.link })
    else tar.entry({ name, mode: file.mode ?? 0o644 }, Buffer.from(file.bytes))
  }
  tar.finalize()
  const [repo, version] = tag.split(':')
  const answer = await docker.importImage(Readable.from(tar), { repo, tag: version })
  for await (const _ of answer) {
    // The import is done when its answer ends.
  }
}

/** A container, with what it printed so far. */
export interface Running {
  readonly container: Docker.Container
  readonly stdin: NodeJS.ReadWriteStream & { destroy(): void }
  output(): string
  /** Resolves when the output has this text in it. */
  printed(text: string): Promise<void>
}

/** An app container that is claimed and linked. */
export interface App extends Running {
  readonly link: Frames
  readonly secret: Uint8Array
  run(command: Partial<Command> & Pick<Command, 'argv'>): Promise<void>
  /** Runs a shell script to its end, as an exec. */
  shell(script: string, options?: Partial<Command>): Promise<{ out: string; code: number }>
}

export interface Sandbox extends Running {
  readonly address: string
}

export class Stage {
  readonly docker = new Docker()
  readonly #name = `moorage-native-${randomBytes(4).toString('hex')}`
  readonly #containers: Docker.Container[] = []
  readonly #networks: Docker.Network[] = []
  readonly #images: string[] = []
  readonly #relays: Relay[] = []
  readonly secret: Uint8Array = randomBytes(32)
  gateway!: Running
  gatewayAddress!: string
  /** The host's address on the session's network, and on a network that no sandbox is on: a stand-in for the internet. */
  bridgeAddress!: string
  outsideAddress!: string
  relay!: Relay
  #execs = 100

  /** @param refused networks for the gateway's command line */
  static async open(options: { refused?: readonly string[] } = {}): Promise<Stage> {
    const stage = new Stage()
    try {
      const agent = await readFile(process.arch === 'arm64' ? AGENT_ARM64 : AGENT)
      await stage.image('agent', { 'moorage-agent': { bytes: agent, mode: 0o755 } })
      await stage.image('busybox', await busyboxFiles(agent))
      const busybox = { bytes: await readFile('/bin/busybox'), mode: 0o755 }
      await stage.image('scratch', { 'moorage-agent': { bytes: agent, mode: 0o755 }, sh: busybox })
      stage.bridgeAddress = await stage.#network('inside')
      stage.outsideAddress = await stage.#network('outside')
      await stage.startGateway(options)
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
    return stage
  }

  async image(kind: string, files: Record<string, File>): Promise<void> {
    const tag = `${this.#name}:${kind}`
    this.#images.push(tag)
    await importImage(this.docker, tag, files)
  }

  async #network(kind: string): Promise<string> {
    const options = { Name: `${this.#name}-${kind}`, Labels: LABELS }
    const first = await this.docker.createNetwork(options)
    const { IPAM } = await first.inspect()
    await first.remove()
    // Only in a network with a subnet of the user's choice may containers choose their addresses: the engine's choice, then.
    const { Subnet, Gateway } = IPAM!.Config![0] as { Subnet: string; Gateway: string }
    this.#networks.push(await this.docker.createNetwork({ ...options, IPAM: { Config: [{ Subnet, Gateway }] } }))
    return Gateway
  }

  /** Starts a container with its stdin attached; what it prints is kept. */
  async start(image: string, options: Docker.ContainerCreateOptions, claim: Uint8Array): Promise<Running> {
    const container = await this.docker.createContainer({
      Image: `${this.#name}:${image}`,
      Entrypoint: ['/moorage-agent'],
      Labels: LABELS,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      ...options,
    })
    this.#containers.push(container)
    const stdin = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
    let output = ''
    const wakes: (() => void)[] = []
    const take = (chunk: Buffer) => {
      output += chunk.toString()
      for (const wake of wakes.splice(0)) wake()
    }
    this.docker.modem.demuxStream(stdin, { write: take } as never, { write: take } as never)
    stdin.on('error', () => {})
    stdin.on('close', () => take(Buffer.alloc(0)))
    await container.start()
    stdin.write(Buffer.from(claim))
    return {
      container,
      stdin: stdin as Running['stdin'],
      output: () => output,
      async printed(text) {
        while (!output.includes(text)) {
          if ((stdin as unknown as { destroyed: boolean }).destroyed)
            throw new Error(`It ended and said only: ${output}`)
          await new Promise<void>((resolve) => wakes.push(resolve))
        }
      },
    }
  }

  /** Starts the gateway, at `address` where it has to be the one of an earlier gateway, and opens a relay to it. */
  async startGateway(options: { address?: string; refused?: readonly string[]; parked?: number } = {}): Promise<void> {
    const network = `${this.#name}-inside`
    const at = options.address === undefined ? {} : { IPAMConfig: { IPv4Address: options.address } }
    this.gateway = await this.start(
      'agent',
      {
        Cmd: ['gateway', ...(options.refused ?? [])],
        ExposedPorts: { [`${RUNTIME_PORT}/tcp`]: {} },
        NetworkingConfig: { EndpointsConfig: { [network]: at } },
        HostConfig: {
          NetworkMode: network,
          CapDrop: ['ALL'],
          CapAdd: ['NET_ADMIN', 'NET_BIND_SERVICE'],
          ReadonlyRootfs: true,
          PortBindings: { [`${RUNTIME_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
          Sysctls: {
            'net.ipv4.ip_forward': '1',
            'net.ipv4.conf.all.rp_filter': '0',
            'net.ipv4.conf.eth0.rp_filter': '0',
            'net.ipv4.conf.all.send_redirects': '0',
            'net.ipv4.conf.eth0.send_redirects': '0',
          },
        },
      },
      encodeFrame(CLAIM, 0, Buffer.concat([Buffer.of(WIRE_VERSION), this.secret])),
    )
    await this.gateway.printed('ready\n')
    this.gatewayAddress = (await this.gateway.container.inspect()).NetworkSettings.Networks[network]!.IPAddress
    this.relay = await this.openRelay(options.parked)
  }

  /** Another relay to the gateway. */
  async openRelay(parked?: number): Promise<Relay> {
    const relay = await Relay.open('127.0.0.1', await this.gatewayPort(), this.secret, parked)
    this.#relays.push(relay)
    return relay
  }

  /** The gateway's runtime port on loopback. */
  async gatewayPort(): Promise<number> {
    const { Ports } = (await this.gateway.container.inspect()).NetworkSettings
    return Number(Ports[`${RUNTIME_PORT}/tcp`]![0]!.HostPort)
  }

  async sandbox(): Promise<Sandbox> {
    const network = `${this.#name}-inside`
    const running = await this.start(
      'agent',
      {
        Cmd: ['sandbox', this.gatewayAddress],
        HostConfig: {
          NetworkMode: network,
          CapDrop: ['ALL'],
          CapAdd: ['NET_ADMIN'],
          Sysctls: { 'net.ipv6.conf.lo.disable_ipv6': '0' },
        },
      },
      encodeFrame(CLAIM, 0),
    )
    await running.printed('ready\n')
    const address = (await running.container.inspect()).NetworkSettings.Networks[network]!.IPAddress
    return { ...running, address }
  }

  /** A warm container in a sandbox, linked. */
  async app(sandbox: Sandbox, options: { image?: string; workingDir?: string } = {}): Promise<App> {
    const secret = randomBytes(32)
    const running = await this.start(
      options.image ?? 'busybox',
      {
        User: '0:0',
        Cmd: [],
        WorkingDir: options.workingDir ?? '',
        HostConfig: { NetworkMode: `container:${sandbox.container.id}`, CapAdd: ['SYS_BOOT'] },
      },
      encodeClaim(secret, this.gatewayAddress, AGENT_PORT),
    )
    const { link } = await this.link(secret)
    const run = async (command: Partial<Command> & Pick<Command, 'argv'>) => {
      link.command(ToAgent.RUN, 0, command)
      await link.next(0, FromAgent.STARTED)
    }
    const shell = async (script: string, more: Partial<Command> = {}) => {
      const id = this.#execs++
      link.command(ToAgent.SPAWN, id, { argv: ['/bin/sh', '-c', script], flags: 8, ...more })
      await link.next(id, FromAgent.STARTED)
      const out = await all(link, id, 1)
      const [code] = await exit(link, id)
      link.send(ToAgent.EXITED, id)
      return { out, code: code! }
    }
    return { ...running, link, secret, run, shell }
  }

  /** Takes the flow of the agent with this secret, and reads its opening and HELLO. */
  async link(secret: Uint8Array): Promise<{ link: Frames; hello: number }> {
    const socket = take(await this.relay.flow(AGENT_PORT))
    const opening = await readExactly(socket, OPENING_BYTES)
    if (Buffer.compare(opening.subarray(5), secret) !== 0) throw new Error('Another agent has linked.')
    const link = new Frames(socket)
    socket.resume()
    return { link, hello: (await link.next(0, FromAgent.HELLO)).payload[0]! }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays) relay.close()
    for (const container of this.#containers.reverse()) await container.remove({ force: true }).catch(() => {})
    for (const network of this.#networks) await network.remove().catch(() => {})
    for (const image of this.#images)
      await this.docker
        .getImage(image)
        .remove({ force: true })
        .catch(() => {})
  }
}
