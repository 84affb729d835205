/** What the engine answers about images, checked where it enters and put into our words. */
import { z } from 'zod'
import { List, Strings, time } from './answers.ts'

/** GET /images/{name}/json */
export const Image = z
  .object({
    Id: z.string(),
    RepoTags: List,
    RepoDigests: List,
    Created: z.string().nullish(),
    Size: z.number(),
    Architecture: z.string(),
    Variant: z.string().optional(),
    Os: z.string(),
    RootFS: z.object({ Layers: List }).nullish(),
    Config: z
      .object({
        Entrypoint: List,
        Cmd: List,
        Env: List,
        User: z.string().nullish(),
        WorkingDir: z.string().nullish(),
        ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
        StopSignal: z.string().nullish(),
        Shell: List,
        Labels: Strings,
        Volumes: z.record(z.string(), z.unknown()).nullish(),
        Healthcheck: z
          .object({
            Test: List,
            Interval: z.number().optional(),
            Timeout: z.number().optional(),
            StartPeriod: z.number().optional(),
            Retries: z.number().optional(),
          })
          .nullish(),
      })
      .nullish(),
  })
  .transform((i) => ({
    /** `sha256:…` */
    id: i.Id,
    tags: i.RepoTags ?? [],
    digests: i.RepoDigests ?? [],
    createdAt: time(i.Created ?? undefined) ?? 0,
    sizeBytes: i.Size,
    architecture: i.Architecture,
    variant: i.Variant ?? '',
    os: i.Os,
    /** Digests of its layers, the lowest first. */
    layers: i.RootFS?.Layers ?? [],
    entrypoint: i.Config?.Entrypoint ?? [],
    cmd: i.Config?.Cmd ?? [],
    /** `NAME=value` each. */
    env: i.Config?.Env ?? [],
    user: i.Config?.User ?? '',
    workingDir: i.Config?.WorkingDir ?? '',
    /** `8080/tcp` each. */
    exposedPorts: Object.keys(i.Config?.ExposedPorts ?? {}),
    stopSignal: i.Config?.StopSignal ?? '',
    labels: i.Config?.Labels ?? {},
    volumes: Object.keys(i.Config?.Volumes ?? {}),
    /** undefined where the image has none. Durations are nanoseconds, as the engine takes them. */
    healthcheck: i.Config?.Healthcheck ?? undefined,
  }))
export type ImageInfo = z.infer<typeof Image>

/** GET /images/json */
export const ImageList = z.array(
  z
    .object({ Id: z.string(), RepoTags: List, Created: z.number(), Size: z.number(), Labels: Strings })
    .transform((i) => ({
      id: i.Id,
      tags: (i.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>'),
      createdAt: i.Created * 1000,
      sizeBytes: i.Size,
      labels: i.Labels ?? {},
    })),
)
export type ImageSummary = z.infer<typeof ImageList>[number]

/** POST /images/create and /build: one line of progress. */
export const Progress = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional(), code: z.number().optional() }).optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
  aux: z.unknown().optional(),
})
export type Progress = z.infer<typeof Progress>
