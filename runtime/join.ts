import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { WebSocket } from 'ws'
import { readLock } from './lock.ts'
import { CONFIG_NAMES, configFile } from './project.ts'
import { CLIENT_TOKEN, CLIENT_VERSION, type FromClient, type Open, type ToClient } from './protocol/client.ts'
import { MoorageError } from './protocol/errors.ts'

/** What someone who joined hears of the process. */
export interface JoinEvents {
  onMessage(message: ToClient): void
  /** One piece of output; 1 is stdout, 2 stderr. No more comes until a promise that it returns is settled. */
  onOutput(source: number, bytes: Buffer): Promise<void> | undefined
}

/** A process in a session that another terminal runs. */
export interface Joined {
  /** Resolves when the session has no more to say. */
  readonly closed: Promise<void>
  tell(message: FromClient): void
  /** Bytes for stdin; resolves when they are on their way. */
  write(bytes: Uint8Array): Promise<void>
  close(): void
}

/**
 * Starts a process in a running session of a project, from another terminal.
 * @param config a config, or its folder.
 * @throws MoorageError `no-session` where none runs, `no-config` where there is no such project.
 */
export async function joinSession(config: string, open: Omit<Open, 'version'>, events: JoinEvents): Promise<Joined> {
  const folder = dirname(configOf(config, open.object))
  const lock = await readLock(folder)
  if (lock?.join === undefined) {
    throw new MoorageError('no-session', `No session of ${folder} runs.`, {
      advice: ['Start it first, in another terminal: moorage dev'],
    })
  }
  const { port, token } = lock.join
  const socket = new WebSocket(`ws://127.0.0.1:${port}/client`, { headers: { [CLIENT_TOKEN]: token } })
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      const taken = events.onOutput(data[0] ?? 0, data.subarray(1))
      if (taken === undefined) return
      socket.pause()
      void taken.finally(() => socket.resume())
    } else events.onMessage(JSON.parse(data.toString('utf8')) as ToClient)
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) =>
      reject(new MoorageError('no-session', `The session does not answer: ${error.message}`)),
    )
  })
  socket.on('error', () => socket.terminate())
  socket.send(JSON.stringify({ version: CLIENT_VERSION, ...open } satisfies Open))
  return {
    closed,
    tell: (message) => socket.send(JSON.stringify(message)),
    write: (bytes) => new Promise((resolve) => socket.send(bytes, () => resolve())),
    close: () => socket.close(),
  }
}

/** The config of a project to join; where there is none, whoever is in a folder of the project is told the way. */
function configOf(path: string, object: string): string {
  try {
    return configFile(resolve(path))
  } catch (error) {
    if (!(error instanceof MoorageError)) throw error
    const above = configAbove(resolve(path))
    throw new MoorageError('no-config', error.message, {
      advice: [
        `Run it in the folder of the project, or name its config: moorage exec ${object} --config ${above ?? 'path/to/wrangler.jsonc'}`,
      ],
    })
  }
}

function configAbove(path: string): string | undefined {
  for (let folder = dirname(path), last = path; folder !== last; last = folder, folder = dirname(folder)) {
    const name = CONFIG_NAMES.find((one) => existsSync(join(folder, one)))
    if (name !== undefined) return relative(process.cwd(), join(folder, name))
  }
  return undefined
}
