/** What the Worker's main module exports, as esbuild sees it: the one that wrangler bundles with. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MoorageError } from '../protocol/errors.ts'

/** The part of esbuild that is used. */
interface Esbuild {
  context(options: Readonly<Record<string, unknown>>): Promise<Context>
}
interface Context {
  rebuild(): Promise<unknown>
  watch(): Promise<void>
  dispose(): Promise<void>
}
interface Plugin {
  onEnd(callback: (result: BuildResult) => void): void
  onResolve(
    options: { filter: RegExp },
    callback: (args: { path: string; kind: string }) => { external: true } | undefined,
  ): void
}
interface BuildResult {
  readonly errors: readonly EsbuildMessage[]
  readonly outputFiles?: readonly { readonly hash: string }[]
  readonly metafile?: {
    readonly outputs: Readonly<Record<string, { readonly entryPoint?: string; readonly exports: readonly string[] }>>
  }
}
interface EsbuildMessage {
  readonly text: string
  readonly location: {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly lineText: string
  } | null
}

/** The names that a module exports, or undefined where it cannot be bundled now. */
export type Exports = ReadonlySet<string> | undefined

/** What one build in memory came to. */
interface Scanned {
  readonly exports: Exports
  readonly errors: readonly EsbuildMessage[]
  /** Differs where the built code, or what is wrong with it, differs. */
  readonly signature: string
}

/** Reads a main module's exports, again and again. Dispose it: it holds a build. */
export class ExportScan {
  readonly #context: Context
  readonly #builds: Builds

  private constructor(context: Context, builds: Builds) {
    this.#context = context
    this.#builds = builds
  }

  /** @param wranglerFolder where the project's wrangler is; its esbuild is taken. */
  static async open(main: string, folder: string, wranglerFolder: string): Promise<ExportScan> {
    const esbuild = createRequire(join(wranglerFolder, 'package.json'))('esbuild') as Esbuild
    const builds: Builds = { last: { exports: undefined, errors: [], signature: '' }, on: undefined }
    const take = (result: BuildResult): void => {
      builds.last = scanned(result)
      builds.on?.()
    }
    const context = await esbuild.context({
      entryPoints: [main],
      absWorkingDir: folder,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      target: 'es2024',
      logLevel: 'silent',
      conditions: ['workerd', 'worker', 'browser'],
      outdir: join(folder, '.wrangler'),
      plugins: [{ name: 'exports', setup: (build: Plugin) => setUp(build, take) }],
    })
    return new ExportScan(context, builds)
  }

  /** Bundles in memory and returns the exported names; undefined where that fails. */
  async read(): Promise<Exports> {
    // A failure is wrangler's to tell: it bundles the same module, with the settings that count.
    await this.#context.rebuild().catch(() => {})
    return this.#builds.last.exports
  }

  /** What was wrong with the last build, in the form that describe() takes; undefined where nothing was. */
  get failure(): { readonly errors: readonly unknown[] } | undefined {
    const { errors } = this.#builds.last
    return errors.length > 0 ? { errors } : undefined
  }

  /** Resolves when what the module is made of is no longer what the last read() found. Call it once in a scan's life. */
  async changed(): Promise<void> {
    const { signature } = this.#builds.last
    await new Promise<void>((resolve, reject) => {
      this.#builds.on = () => {
        if (this.#builds.last.signature !== signature) resolve()
      }
      this.#context.watch().catch(reject)
    })
  }

  dispose(): Promise<void> {
    this.#builds.on = undefined
    return this.#context.dispose()
  }
}

/** The last build, and who wants to hear of the next. */
interface Builds {
  last: Scanned
  on: (() => void) | undefined
}

function scanned(result: BuildResult): Scanned {
  const output = Object.values(result.metafile?.outputs ?? {}).find(({ entryPoint }) => entryPoint !== undefined)
  const wrong = result.errors.map(({ text, location }) => [text, location?.file, location?.line, location?.lineText])
  return {
    exports: output ? new Set(output.exports) : undefined,
    errors: result.errors,
    signature: JSON.stringify([wrong, (result.outputFiles ?? []).map(({ hash }) => hash)]),
  }
}

/** Only the project's own modules and packages matter for names; anything else is left out, whatever it would be loaded as. */
function setUp(build: Plugin, take: (result: BuildResult) => void): void {
  build.onResolve(
    { filter: /^(cloudflare|node|workerd):|\.(wasm|bin|txt|html|sql|css|svg|png|md)(\?.*)?$/ },
    ({ kind }) => (kind === 'entry-point' ? undefined : { external: true }),
  )
  build.onEnd(take)
}

/** @throws MoorageError `class-not-exported` that names the class and what there is instead. */
export function checkExported(classes: readonly string[], exports: ReadonlySet<string>, main: string): void {
  for (const className of classes) {
    if (exports.has(className)) continue
    const others = [...exports].filter((name) => name !== 'default')
    throw new MoorageError(
      'class-not-exported',
      `The config gives ${className} a container, but ${main} does not export it.`,
      {
        advice: [
          `Export it: \`export { ${className} } from './…'\`, or correct the class name in the config.`,
          others.length > 0 ? `Exported are: ${others.join(', ')}.` : `${main} exports no names.`,
        ],
        detail: { className, main, exported: others },
      },
    )
  }
}

/** Errors of esbuild in the form that people know. Undefined where it is another error. */
export function buildMessage(error: unknown): string | undefined {
  for (let at = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    const { errors } = at as { errors?: readonly EsbuildMessage[] }
    if (!Array.isArray(errors) || errors.length === 0) continue
    return (errors as EsbuildMessage[])
      .map(({ text, location }) =>
        location
          ? `${location.file}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText.trim()}`
          : text,
      )
      .join('\n')
  }
  return undefined
}
