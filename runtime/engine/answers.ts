/** What the engine answers, checked where it enters and put into our words. Times are milliseconds since the epoch. */
import { z } from 'zod'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerId } from '../protocol/model.ts'

export const Strings = z.record(z.string(), z.string()).nullish()
export const List = z.array(z.string()).nullish()

/** Engines write a time that is not yet as year 1. */
export function time(text: string | undefined): number | undefined {
  const at = Date.parse(text ?? '')
  return at > 0 ? at : undefined
}

const id = z.string().transform((value) => value as ContainerId)

/** GET /version */
export const Version = z
  .object({
    Version: z.string(),
    ApiVersion: z.string(),
    MinAPIVersion: z.string().optional(),
    Os: z.string(),
    Arch: z.string(),
    KernelVersion: z.string().optional(),
    Platform: z.object({ Name: z.string().optional() }).optional(),
    Components: z.array(z.object({ Name: z.string(), Version: z.string() })).nullish(),
  })
  .transform((v) => ({
    version: v.Version,
    apiVersion: v.ApiVersion,
    minApiVersion: v.MinAPIVersion ?? v.ApiVersion,
    os: v.Os,
    /** `amd64`, `arm64`, … */
    arch: v.Arch,
    kernel: v.KernelVersion ?? '',
    /** `Docker Engine`, `Docker Desktop …`, `Podman Engine` … */
    product: v.Platform?.Name || (v.Components?.[0]?.Name ?? 'Engine').replace(/^Engine$/, 'Docker Engine'),
  }))
export type Version = z.infer<typeof Version>

/** POST /containers/create */
export const Created = z.object({ Id: id, Warnings: List }).transform((c) => ({ id: c.Id, warnings: c.Warnings ?? [] }))

/** GET /containers/{id}/top: the command is the last of ps's columns, whatever the others are. */
export const Top = z
  .object({ Processes: z.array(z.array(z.string())).nullish() })
  .transform(({ Processes }) => (Processes ?? []).map((columns) => columns.at(-1) ?? ''))

const PortBinding = z.object({ HostIp: z.string().optional(), HostPort: z.string() })

/** GET /containers/{id}/json */
export const Container = z
  .object({
    Id: id,
    Name: z.string(),
    Image: z.string(),
    State: z.object({
      Status: z.string(),
      Running: z.boolean(),
      Paused: z.boolean(),
      OOMKilled: z.boolean().optional(),
      Dead: z.boolean().optional(),
      Pid: z.number().optional(),
      ExitCode: z.number(),
      Error: z.string().optional(),
      StartedAt: z.string().optional(),
      FinishedAt: z.string().optional(),
    }),
    Config: z.object({ Image: z.string().optional(), Labels: Strings }),
    NetworkSettings: z
      .object({
        Ports: z.record(z.string(), z.array(PortBinding).nullable()).nullish(),
        Networks: z
          .record(
            z.string(),
            z.object({
              NetworkID: z.string().optional(),
              IPAddress: z.string().optional(),
              Gateway: z.string().optional(),
              MacAddress: z.string().optional(),
            }),
          )
          .nullish(),
      })
      .optional(),
  })
  .transform((c) => ({
    id: c.Id,
    name: c.Name.replace(/^\//, ''),
    /** The image's id. */
    imageId: c.Image,
    /** The image as it was named at create. */
    image: c.Config.Image ?? c.Image,
    /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`. */
    status: c.State.Status,
    running: c.State.Running,
    paused: c.State.Paused,
    outOfMemory: c.State.OOMKilled ?? false,
    /** In the engine's own pid namespace; 0 while it does not run. */
    pid: c.State.Pid ?? 0,
    exitCode: c.State.ExitCode,
    /** Why it could not be started; empty where it could. */
    error: c.State.Error ?? '',
    startedAt: time(c.State.StartedAt),
    finishedAt: time(c.State.FinishedAt),
    labels: c.Config.Labels ?? {},
    /** `7001/tcp` to where it is published. */
    ports: Object.fromEntries(
      Object.entries(c.NetworkSettings?.Ports ?? {}).map(([port, bindings]) => [
        port,
        (bindings ?? []).map((b) => ({ host: b.HostIp || '0.0.0.0', port: Number(b.HostPort) })),
      ]),
    ) as Readonly<Record<string, readonly { readonly host: string; readonly port: number }[]>>,
    networks: Object.fromEntries(
      Object.entries(c.NetworkSettings?.Networks ?? {}).map(([name, n]) => [
        name,
        { id: n.NetworkID ?? '', address: n.IPAddress ?? '', gateway: n.Gateway ?? '', mac: n.MacAddress ?? '' },
      ]),
    ) as Readonly<
      Record<string, { readonly id: string; readonly address: string; readonly gateway: string; readonly mac: string }>
    >,
  }))
export type ContainerInfo = z.infer<typeof Container>

/** GET /containers/json */
export const ContainerList = z.array(
  z
    .object({
      Id: id,
      Names: List,
      Image: z.string(),
      ImageID: z.string().optional(),
      State: z.string(),
      Labels: Strings,
      Created: z.number(),
    })
    .transform((c) => ({
      id: c.Id,
      name: (c.Names?.[0] ?? '').replace(/^\//, ''),
      image: c.Image,
      imageId: c.ImageID ?? '',
      /** As ContainerInfo.status. */
      status: c.State,
      labels: c.Labels ?? {},
      createdAt: c.Created * 1000,
    })),
)
export type ContainerSummary = z.infer<typeof ContainerList>[number]

/** What comes at the end of POST /containers/{id}/wait */
export const Exit = z
  .object({ StatusCode: z.number(), Error: z.object({ Message: z.string().optional() }).nullish() })
  .transform((e) => ({ exitCode: e.StatusCode, error: e.Error?.Message || undefined }))
/** The end of a container: 128 + n where signal n ended it. `error`: the engine's own trouble while waiting. */
export type Exit = z.infer<typeof Exit>

/** The kind of a file in Go's words (io/fs.FileMode), as far as it is told apart. */
const GO_FOLDER = 0x8000_0000
const GO_LINK = 0x0800_0000
const GO_KINDS = 0x8f28_0000

/** X-Docker-Container-Path-Stat of GET /containers/{id}/archive, decoded */
export const PathStat = z
  .object({ size: z.number(), mode: z.number().int().min(0).max(0xffff_ffff), linkTarget: z.string().nullish() })
  .transform(({ size, mode, linkTarget }) => {
    const is = (kind: number): boolean => (mode & kind) !== 0
    const kind = is(GO_FOLDER) ? 'folder' : is(GO_LINK) ? 'link' : is(GO_KINDS) ? 'other' : 'file'
    return {
      sizeBytes: size,
      kind: kind as 'file' | 'folder' | 'link' | 'other',
      /** Where a link leads, as a path of the container with no link in it. */
      target: linkTarget ?? '',
    }
  })
export type PathStat = z.infer<typeof PathStat>

/** GET /networks, GET /networks/{id} */
export const Network = z
  .object({
    Id: z.string(),
    Name: z.string(),
    Driver: z.string(),
    Created: z.string().optional(),
    Internal: z.boolean().optional(),
    Labels: Strings,
    IPAM: z
      .object({
        Config: z.array(z.object({ Subnet: z.string().optional(), Gateway: z.string().optional() })).nullish(),
      })
      .nullish(),
    Containers: z
      .record(z.string(), z.object({ Name: z.string().optional(), IPv4Address: z.string().optional() }))
      .nullish(),
  })
  .transform((n) => ({
    id: n.Id,
    name: n.Name,
    driver: n.Driver,
    internal: n.Internal ?? false,
    labels: n.Labels ?? {},
    /** `172.18.0.0/16`; undefined where the engine does not say. */
    subnet: n.IPAM?.Config?.[0]?.Subnet,
    /** Some engines leave it out; then it is the first address of the subnet. */
    gateway: n.IPAM?.Config?.[0]?.Gateway?.split('/')[0],
    containers: Object.entries(n.Containers ?? {}).map(([containerId, c]) => ({
      id: containerId as ContainerId,
      name: c.Name ?? '',
      address: (c.IPv4Address ?? '').split('/')[0] ?? '',
    })),
  }))
export type NetworkInfo = z.infer<typeof Network>

/** GET /volumes */
export const VolumeList = z
  .object({ Volumes: z.array(z.object({ Name: z.string(), Labels: Strings })).nullish() })
  .transform((v) => (v.Volumes ?? []).map((one) => ({ name: one.Name, labels: one.Labels ?? {} })))
export type VolumeList = z.infer<typeof VolumeList>

/** GET /events, one of them */
export const Event = z
  .object({
    Type: z.string(),
    Action: z.string(),
    Actor: z.object({ ID: z.string(), Attributes: Strings }),
    time: z.number().optional(),
    timeNano: z.number().optional(),
  })
  .transform((e) => ({
    type: e.Type,
    /** `die`, `oom`, `destroy`, …; without what some engines append after a colon. */
    action: e.Action.split(':')[0] ?? e.Action,
    id: e.Actor.ID,
    /** Labels, and `name`, `image`, `exitCode`, `signal`, as the engine has them for this action. */
    attributes: e.Actor.Attributes ?? {},
    at: e.timeNano ? e.timeNano / 1e6 : (e.time ?? 0) * 1000,
  }))
export type EngineEvent = z.infer<typeof Event>

/** GET /info, what we need of it */
export const Info = z
  .object({
    Name: z.string().optional(),
    OperatingSystem: z.string().optional(),
    NCPU: z.number().optional(),
    MemTotal: z.number().optional(),
    CgroupVersion: z.string().optional(),
    SecurityOptions: List,
    Architecture: z.string().optional(),
  })
  .transform((i) => ({
    name: i.Name ?? '',
    operatingSystem: i.OperatingSystem ?? '',
    cpus: i.NCPU ?? 0,
    memoryBytes: i.MemTotal ?? 0,
    cgroupVersion: i.CgroupVersion ?? '',
    rootless: (i.SecurityOptions ?? []).some((option) => option.includes('rootless')),
    userns: (i.SecurityOptions ?? []).some((option) => option.includes('userns')),
  }))
export type Info = z.infer<typeof Info>

/** Checks an answer. An engine that answers something else is an 'engine-error' that says which part. */
export function check<T extends z.ZodType>(schema: T, answer: unknown, doing: string): z.output<T> {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const where = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
  throw new MoorageError('engine-error', `The engine's answer to "${doing}" is not understood (${where}).`, {
    detail: { problem: 'other' },
    cause: result.error,
  })
}
