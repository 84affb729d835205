/** Who the user is at registries, by the docker command's own login. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'

/** As the engine takes it. Secret: never logged, never kept. */
export interface RegistryLogin {
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly serveraddress: string
}

/** What is looked at; a test has its own. */
export interface LoginSource {
  /** The folder of the docker command's config.json. */
  readonly folder: string
  read(file: string): Promise<string>
  /** Runs a credential helper with a line on its stdin. */
  run(program: string, input: string): Promise<string>
}

const Config = z.object({
  auths: z
    .record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
})

const Helped = z.object({ Username: z.string(), Secret: z.string() })

/** Docker Hub's name in config.json, from the time of its first version. */
const HUB = 'https://index.docker.io/v1/'

/** How long a helper may take: it may ask the user for a password of the key ring. */
const HELPER_MS = 30_000

/** The user's own. */
export function userLogins(env: Readonly<Record<string, string | undefined>> = process.env): LoginSource {
  return {
    folder: env.DOCKER_CONFIG || path.join(os.homedir(), '.docker'),
    read: (file) => readFile(file, 'utf8'),
    run: runHelper,
  }
}

/** Where an image comes from: `docker.io`, `ghcr.io`, `localhost:5000`. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}

/** The login at a registry; undefined where there is none, or it cannot be had: the pull is then tried without, and its error tells. */
export async function loginAt(registry: string, source: LoginSource): Promise<RegistryLogin | undefined> {
  try {
    const config = Config.parse(JSON.parse(await source.read(path.join(source.folder, 'config.json'))))
    const names =
      registry === 'docker.io'
        ? [HUB, 'docker.io', 'index.docker.io']
        : [registry, `https://${registry}`, `https://${registry}/`]
    for (const serveraddress of names) {
      const helper = config.credHelpers?.[serveraddress] ?? config.credsStore
      // A name, not a path.
      if (helper !== undefined && /^[\w.-]+$/.test(helper)) {
        const login = await helped(helper, serveraddress, source)
        if (login) return login
      }
      const plain = config.auths?.[serveraddress]
      if (plain?.identitytoken) return { identitytoken: plain.identitytoken, serveraddress }
      if (plain?.auth) {
        const [, username = '', password = ''] =
          /^([^:]*):(.*)$/s.exec(Buffer.from(plain.auth, 'base64').toString()) ?? []
        return { username, password, serveraddress }
      }
    }
  } catch {
    // No login is the usual case.
  }
  return undefined
}

async function helped(helper: string, serveraddress: string, source: LoginSource): Promise<RegistryLogin | undefined> {
  try {
    const { Username, Secret } = Helped.parse(
      JSON.parse(await source.run(`docker-credential-${helper}`, serveraddress)),
    )
    return Username === '<token>'
      ? { identitytoken: Secret, serveraddress }
      : { username: Username, password: Secret, serveraddress }
  } catch {
    // A helper fails where it knows nothing of this registry.
    return undefined
  }
}

/** The value of X-Registry-Auth. */
export async function pullHeader(reference: string, source: LoginSource): Promise<string | undefined> {
  const login = await loginAt(registryOf(reference), source)
  return login && Buffer.from(JSON.stringify(login)).toString('base64url')
}

/** The value of X-Registry-Config for a build on these images. */
export async function buildHeader(references: readonly string[], source: LoginSource): Promise<string | undefined> {
  const registries = [...new Set(references.map(registryOf))]
  const logins = (await Promise.all(registries.map((registry) => loginAt(registry, source)))).filter(
    (one) => one !== undefined,
  )
  if (logins.length === 0) return undefined
  return Buffer.from(JSON.stringify(Object.fromEntries(logins.map((one) => [one.serveraddress, one])))).toString(
    'base64url',
  )
}

function runHelper(program: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true, timeout: HELPER_MS })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}`))))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
