// What a broker daemon and the commands on its machine say to each other: one JSON object a line, over a Unix socket of
// mode 0600. A daemon is known by its answer here, never by its pid. The socket lies in the runtime directory under a
// name made from the data directory, so that each directory has one place to ask.

import { createHash } from 'node:crypto'

export type ControlRequest = { readonly command: 'status' | 'stop' } | NamesRequest

/** For completion: names that begin so. Kafka's own topics only where the beginning is theirs. */
export interface NamesRequest {
  readonly command: 'names'
  readonly of: 'topics' | 'groups'
  readonly beginning: string
}

/** A listener as it is bound, and what clients are told of it. */
export interface BrokerListener {
  readonly name: string
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly advertisedHost: string
  readonly advertisedPort: number
}

export interface BrokerStatus {
  readonly version: string
  readonly pid: number
  readonly clusterId: string
  readonly nodeId: number
  readonly dataDirectory: string
  readonly logFile: string | null
  readonly ephemeral: boolean
  /** kafka-server-start started it, so that kafka-server-stop may stop it. */
  readonly isServer: boolean
  readonly uptimeMs: number
  readonly listeners: readonly BrokerListener[]
  readonly topics: number
  readonly partitions: number
  /** On disk, all partitions together. */
  readonly bytes: number
  /** Settings as they were given at the start, by Kafka's names: a second start compares them. Secrets are HIDDEN. */
  readonly settings: Readonly<Record<string, string>>
}

/** `stop` is answered when the broker has stopped cleanly; the connection then ends. `names`: sorted, and none unless asked for. */
export type ControlReply =
  | { readonly ok: true; readonly status: BrokerStatus; readonly names: readonly string[] }
  | { readonly ok: false; readonly message: string }

/** In place of a password. */
export const HIDDEN = '[hidden]'

export const MAX_CONTROL_LINE = 64 * 1024

/** Where runtime files go: $XDG_RUNTIME_DIR/ktool, else ktool-UID in the temporary directory. Mode 0700. */
export function runtimeDirectory(env: NodeJS.ProcessEnv, temporaryDirectory: string, uid: number): string {
  return env.XDG_RUNTIME_DIR ? `${env.XDG_RUNTIME_DIR}/ktool` : `${temporaryDirectory}/ktool-${uid}`
}

/** The control socket's file name for a data directory (its real path). Short: a socket's path may have 107 bytes. */
export function controlSocketName(dataDirectory: string): string {
  return `${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16)}.sock`
}
