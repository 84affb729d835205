/** The docker command's contexts: named engines in ~/.docker. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { type Address, parseHost, type TlsMaterial } from './address.ts'

/** Reads a file as text; rejects as node:fs does. */
export type ReadText = (file: string) => Promise<string>

const CliConfig = z.object({ currentContext: z.string().optional() })
const Meta = z.object({
  Name: z.string(),
  Endpoints: z.object({
    docker: z.object({ Host: z.string().optional(), SkipTLSVerify: z.boolean().optional() }).optional(),
  }),
})

/** The name of the context that is current by the config file; undefined for the default one, which is no context. */
export async function currentContext(configFolder: string, read: ReadText): Promise<string | undefined> {
  let text: string
  try {
    text = await read(path.join(configFolder, 'config.json'))
  } catch {
    return undefined
  }
  const name = CliConfig.parse(JSON.parse(text)).currentContext
  return name && name !== 'default' ? name : undefined
}

/** Where a context's engine is. Rejects with an Error that says what is wrong with it. */
export async function contextAddress(configFolder: string, name: string, read: ReadText): Promise<Address> {
  const id = createHash('sha256').update(name).digest('hex')
  let text: string
  try {
    text = await read(path.join(configFolder, 'contexts', 'meta', id, 'meta.json'))
  } catch {
    throw new Error(`there is no docker context "${name}" in ${configFolder}`)
  }
  const docker = Meta.parse(JSON.parse(text)).Endpoints.docker
  if (!docker?.Host) throw new Error(`the docker context "${name}" names no engine`)
  const tls = await tlsFrom(path.join(configFolder, 'contexts', 'tls', id, 'docker'), read)
  const insecure = docker.SkipTLSVerify === true
  return parseHost(docker.Host, tls || insecure ? { ...tls, ...(insecure ? { insecure } : {}) } : undefined)
}

/** `ca.pem`, `cert.pem`, `key.pem` of a folder, those that are there; undefined where none is. */
export async function tlsFrom(folder: string, read: ReadText): Promise<TlsMaterial | undefined> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => read(path.join(folder, name)).catch(() => undefined)),
  )
  if (ca === undefined && cert === undefined && key === undefined) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}
