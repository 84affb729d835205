/** What a container is made of, in the engine's own field names, as POST /containers/create takes it. Only what Moorage uses. */

export interface Mount {
  readonly Type: 'bind' | 'volume' | 'tmpfs'
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
}

/** The machine's side of a container. */
export interface HostConfig {
  readonly AutoRemove?: boolean
  /** `container:<id>`, `none`, or a network's name or id. */
  readonly NetworkMode?: string
  readonly PortBindings?: Readonly<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[]>>
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly SecurityOpt?: readonly string[]
  readonly Sysctls?: Readonly<Record<string, string>>
  readonly Dns?: readonly string[]
  readonly ExtraHosts?: readonly string[]
  readonly Binds?: readonly string[]
  readonly Mounts?: readonly Mount[]
  readonly Tmpfs?: Readonly<Record<string, string>>
  readonly ReadonlyRootfs?: boolean
  /** Bytes; 0 for no limit. */
  readonly Memory?: number
  /** Memory and swap together, bytes; -1 for no limit. */
  readonly MemorySwap?: number
  /** Billionths of a CPU. */
  readonly NanoCpus?: number
  readonly PidsLimit?: number
  readonly OomScoreAdj?: number
  readonly ShmSize?: number
  readonly LogConfig?: { readonly Type: string; readonly Config?: Readonly<Record<string, string>> }
  readonly Init?: boolean
  readonly Privileged?: boolean
  readonly PidMode?: string
  readonly IpcMode?: string
  readonly RestartPolicy?: {
    readonly Name: '' | 'no' | 'always' | 'on-failure' | 'unless-stopped'
    readonly MaximumRetryCount?: number
  }
  readonly StorageOpt?: Readonly<Record<string, string>>
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
}

export interface CreateOptions {
  /** The container's name; undefined: the engine makes one up. */
  readonly name?: string
  /** `linux/arm64`; undefined: the engine's own. */
  readonly platform?: string
  readonly Image: string
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly Hostname?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly StopSignal?: string
  /** Seconds that a stop waits before it kills. */
  readonly StopTimeout?: number
  /** Durations in nanoseconds. `Test: ['NONE']` switches the image's own off. */
  readonly Healthcheck?: {
    readonly Test: readonly string[]
    readonly Interval?: number
    readonly Timeout?: number
    readonly StartPeriod?: number
    readonly Retries?: number
  }
  readonly OpenStdin?: boolean
  readonly StdinOnce?: boolean
  readonly AttachStdin?: boolean
  readonly AttachStdout?: boolean
  readonly AttachStderr?: boolean
  readonly Tty?: boolean
  readonly NetworkDisabled?: boolean
  readonly HostConfig?: HostConfig
  readonly NetworkingConfig?: {
    readonly EndpointsConfig: Readonly<
      Record<string, { readonly IPAMConfig?: { readonly IPv4Address?: string }; readonly Aliases?: readonly string[] }>
    >
  }
}

/** What can be changed while a container runs. */
export type UpdateOptions = Pick<HostConfig, 'Memory' | 'MemorySwap' | 'NanoCpus' | 'PidsLimit' | 'RestartPolicy'>
