/** The ways in which an engine can be found, as data. Each says where to look; none connects. */
import path from 'node:path'
import { type Address, parseHost } from './address.ts'
import { contextAddress, currentContext, type ReadText, tlsFrom } from './contexts.ts'

/** What strategies look at. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly uid: number | undefined
  readonly read: ReadText
}

/** One way to find an engine. */
export interface Strategy {
  /** As people call it. */
  readonly name: string
  /** True where the user asked for this engine by name: then it, or an error, and no other. */
  readonly chosen?: boolean
  /** Where it would be; undefined where this way does not apply here. Rejects with a reason where it applies and is wrong. */
  locate(around: Surroundings): Promise<Address | undefined>
}

/** In the order in which they are tried. */
export const STRATEGIES: readonly Strategy[] = [
  { name: 'DOCKER_HOST', chosen: true, locate: dockerHost },
  {
    name: 'DOCKER_CONTEXT',
    chosen: true,
    locate: async ({ env, home, read }) =>
      env.DOCKER_CONTEXT && env.DOCKER_CONTEXT !== 'default'
        ? contextAddress(configFolder(env, home), env.DOCKER_CONTEXT, read)
        : undefined,
  },
  {
    name: 'the current docker context',
    chosen: true,
    locate: async ({ env, home, read }) => {
      // DOCKER_CONTEXT=default asks for the default engine, whatever is current.
      if (env.DOCKER_CONTEXT) return undefined
      const name = await currentContext(configFolder(env, home), read)
      return name === undefined ? undefined : contextAddress(configFolder(env, home), name, read)
    },
  },
  unix('Docker', ['linux', 'darwin'], () => '/var/run/docker.sock'),
  unix('Docker Desktop', ['darwin'], ({ home }) => path.posix.join(home, '.docker/run/docker.sock')),
  unix('Docker Desktop', ['linux'], ({ home }) => path.posix.join(home, '.docker/desktop/docker.sock')),
  unix('OrbStack', ['darwin'], ({ home }) => path.posix.join(home, '.orbstack/run/docker.sock')),
  unix('Colima', ['darwin', 'linux'], ({ env, home }) =>
    path.posix.join(env.COLIMA_HOME || path.posix.join(home, '.colima'), 'default/docker.sock'),
  ),
  unix('Colima', ['darwin', 'linux'], ({ env, home }) =>
    path.posix.join(env.XDG_CONFIG_HOME || path.posix.join(home, '.config'), 'colima/default/docker.sock'),
  ),
  unix('Rancher Desktop', ['darwin', 'linux'], ({ home }) => path.posix.join(home, '.rd/docker.sock')),
  unix('rootless Docker', ['linux'], (around) => under(runtimeFolder(around), 'docker.sock')),
  unix('rootless Docker', ['linux'], ({ home }) => path.posix.join(home, '.docker/run/docker.sock')),
  unix('rootless Podman', ['linux'], (around) => under(runtimeFolder(around), 'podman/podman.sock')),
  unix('Podman', ['linux'], () => '/run/podman/podman.sock'),
  unix('Podman machine', ['darwin', 'linux'], ({ home }) =>
    path.posix.join(home, '.local/share/containers/podman/machine/podman.sock'),
  ),
  unix('Podman machine', ['darwin'], ({ home }) =>
    path.posix.join(home, '.local/share/containers/podman/machine/qemu/podman.sock'),
  ),
  unix('Podman machine', ['darwin'], ({ env }) => under(env.TMPDIR, 'podman/podman-machine-default-api.sock')),
  pipe('Docker', '//./pipe/docker_engine'),
  pipe('Docker Desktop', '//./pipe/dockerDesktopLinuxEngine'),
  pipe('Podman machine', '//./pipe/podman-machine-default'),
]

/** Where the docker command keeps its configuration. */
export function configFolder(env: Surroundings['env'], home: string): string {
  return env.DOCKER_CONFIG || path.join(home, '.docker')
}

async function dockerHost({ env, home, read }: Surroundings): Promise<Address | undefined> {
  const host = env.DOCKER_HOST
  if (!host) return undefined
  const folder = env.DOCKER_CERT_PATH || configFolder(env, home)
  const tls = env.DOCKER_TLS_VERIFY ? await tlsFrom(folder, read) : undefined
  if (env.DOCKER_TLS_VERIFY && !tls && /^(tcp|https):/.test(host))
    throw new Error(`DOCKER_TLS_VERIFY is set, and ${folder} has no ca.pem, cert.pem or key.pem`)
  // As the docker command: certificates without DOCKER_TLS_VERIFY mean TLS with whatever certificate the engine shows.
  const loose = !tls && env.DOCKER_CERT_PATH ? await tlsFrom(folder, read) : undefined
  return parseHost(host, tls ?? (loose ? { ...loose, insecure: true } : undefined))
}

function unix(
  name: string,
  platforms: readonly NodeJS.Platform[],
  socket: (around: Surroundings) => string | undefined,
): Strategy {
  return {
    name,
    locate: async (around) => {
      const socketPath = platforms.includes(around.platform) ? socket(around) : undefined
      return socketPath === undefined ? undefined : { socketPath }
    },
  }
}

function pipe(name: string, socketPath: string): Strategy {
  return { name, locate: async ({ platform }) => (platform === 'win32' ? { socketPath } : undefined) }
}

function runtimeFolder({ env, uid }: Surroundings): string | undefined {
  return env.XDG_RUNTIME_DIR || (uid === undefined ? undefined : `/run/user/${uid}`)
}

function under(folder: string | undefined, name: string): string | undefined {
  return folder ? path.posix.join(folder, name) : undefined
}
