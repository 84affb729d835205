/** A Dockerfile's instructions and their lines. It builds nothing and checks little: the builder does. */

export interface Instruction {
  /** In capitals: `FROM`, `RUN`, … */
  readonly name: string
  /** What follows, continuation lines joined by a space, without heredoc bodies. */
  readonly args: string
  /** Of its first line, counted from 1. */
  readonly line: number
  readonly endLine: number
  /** True where a heredoc follows it. */
  readonly heredoc: boolean
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[]
  /** The `# syntax=` directive; such files want BuildKit's own frontend. */
  readonly syntax?: string
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/
const HEREDOC = /<<-?\s*(["']?)([a-zA-Z_][a-zA-Z0-9_.]*)\1/g

/** Reads a Dockerfile: directives, comments, continuation lines (also over comments and empty lines), heredocs. Never throws. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const instructions: Instruction[] = []
  let escapeWith = '\\'
  let syntax: string | undefined
  let at = 0
  for (; at < lines.length; at++) {
    const directive = DIRECTIVE.exec(lines[at] ?? '')
    if (!directive) break
    if (directive[1]?.toLowerCase() === 'escape' && directive[2] === '`') escapeWith = '`'
    if (directive[1]?.toLowerCase() === 'syntax') syntax = directive[2]
  }
  const continued = new RegExp(`${escapeWith === '`' ? '`' : '\\\\'}[ \\t]*$`)
  while (at < lines.length) {
    const first = lines[at]?.trim() ?? ''
    if (first === '' || first.startsWith('#')) {
      at++
      continue
    }
    const line = at + 1
    const parts: string[] = []
    for (; at < lines.length; at++) {
      const raw = lines[at] ?? ''
      if (parts.length > 0 && (raw.trim() === '' || raw.trim().startsWith('#'))) continue
      parts.push(raw.replace(continued, '').trim())
      if (!continued.test(raw)) break
    }
    at++
    const [, name = '', args = ''] = /^(\S+)\s*(.*)$/s.exec(parts.join(' ').trim()) ?? []
    const ends = /^(RUN|COPY|ADD|ONBUILD)$/i.test(name) ? [...args.matchAll(HEREDOC)].map((match) => match[2]) : []
    for (const end of ends) {
      while (at < lines.length && (lines[at] ?? '').replace(/^\t+/, '') !== end) at++
      at++
    }
    instructions.push({
      name: name.toUpperCase(),
      args,
      line,
      endLine: Math.min(at, lines.length),
      heredoc: ends.length > 0,
    })
  }
  return syntax === undefined ? { instructions } : { instructions, syntax }
}

/** One FROM and what belongs to it. */
export interface Stage {
  /** Lower case; undefined where it has none. */
  readonly name: string | undefined
  /** What it stands on, ARGs filled in: an image, an earlier stage, or `scratch`. */
  readonly from: string
  /** The FROM and what follows it. */
  readonly instructions: readonly Instruction[]
}

/** The stages, with the ARGs before the first FROM filled in from `args` or their defaults. */
export function stagesOf(file: Dockerfile, args: Readonly<Record<string, string>>): Stage[] {
  const values = new Map<string, string>()
  const stages: { name: string | undefined; from: string; instructions: Instruction[] }[] = []
  for (const instruction of file.instructions) {
    if (instruction.name === 'FROM') {
      const words = instruction.args.split(/\s+/).filter((word) => !word.startsWith('--'))
      stages.push({
        from: fill(words[0] ?? '', values),
        name: words[1]?.toLowerCase() === 'as' ? words[2]?.toLowerCase() : undefined,
        instructions: [instruction],
      })
    } else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction)
    else if (instruction.name === 'ARG') {
      for (const one of instruction.args.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []) {
        const [key = '', ...rest] = one.split('=')
        const value =
          args[key] ?? (rest.length > 0 ? fill(rest.join('=').replace(/^(["'])(.*)\1$/, '$2'), values) : undefined)
        if (value !== undefined) values.set(key, value)
      }
    }
  }
  return stages
}

/** The image that the last stage (or `target`) stands on, through the stages it names. undefined where it is scratch, or not to be told. */
export function baseImage(
  file: Dockerfile,
  args: Readonly<Record<string, string>>,
  target?: string,
): string | undefined {
  const stages = stagesOf(file, args)
  let index = target === undefined ? stages.length - 1 : (stageIndex(stages, target) ?? -1)
  while (index >= 0) {
    const from = stages[index]?.from ?? ''
    const earlier = stages.slice(0, index).findLastIndex((stage) => stage.name === from.toLowerCase())
    if (earlier < 0) return from === '' || from === 'scratch' ? undefined : from
    index = earlier
  }
  return undefined
}

/**
 * Whether some stage is not needed for the last one (or `target`). The classic builder builds it all the same; BuildKit, which people's own
 * `docker build` uses, does not.
 */
export function hasUnusedStages(file: Dockerfile, args: Readonly<Record<string, string>>, target?: string): boolean {
  const stages = stagesOf(file, args)
  const last = stageIndex(stages, target) ?? stages.length - 1
  const needed = new Set<number>()
  const need = (index: number) => {
    if (needed.has(index)) return
    needed.add(index)
    const stage = stages[index]
    const names = (stage?.instructions ?? []).flatMap((one) =>
      [...one.args.matchAll(/--from=(\S+)|[=,]from=([^,\s]+)/g)].map((match) => match[1] ?? match[2] ?? ''),
    )
    for (const name of [stage?.from ?? '', ...names]) {
      const earlier = stageIndex(stages.slice(0, index), name)
      if (earlier !== undefined) need(earlier)
    }
  }
  need(last)
  return needed.size < last + 1
}

/** By name or number, the latest of that name. */
function stageIndex(stages: readonly Stage[], name: string | undefined): number | undefined {
  const index = stages.findLastIndex((stage, i) => stage.name === name?.toLowerCase() || String(i) === name)
  return name === undefined || index < 0 ? undefined : index
}

const BUILDKIT_FLAGS =
  /^(--[a-z-]+(=\S*)?\s+)*--(mount|network|security|link|chmod|parents|exclude|checksum|keep-git-dir|start-interval)\b/

/** Whether a Dockerfile uses what only BuildKit has: heredocs, `RUN --mount`, `COPY --link`, a frontend of its own, … */
export function needsBuildkit(file: Dockerfile): boolean {
  return (
    file.syntax !== undefined ||
    file.instructions.some(
      (one) => one.heredoc || (/^(RUN|COPY|ADD|HEALTHCHECK)$/.test(one.name) && BUILDKIT_FLAGS.test(one.args)),
    )
  )
}

/** `$A`, `${A}`, `${A:-b}`, `${A:+b}`. */
function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g,
    (_, braced: string | undefined, sign: string | undefined, other: string | undefined, bare: string | undefined) => {
      const value = values.get(braced ?? bare ?? '') ?? ''
      if (sign === '-') return value === '' ? (other ?? '') : value
      if (sign === '+') return value === '' ? '' : (other ?? '')
      return value
    },
  )
}
