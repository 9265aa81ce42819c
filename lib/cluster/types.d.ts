// What the primary and its processes tell each other.

import type { LimitSpec } from './keys.js'
import type { Names } from './region.js'
import type { Where } from './sticky/reading.js'

/** How sessions are kept with their processes. */
export interface Sticky {
  where: Where
  /** Of the sockets to relay through; none with `processes: 0`. */
  folder?: string | undefined
  /** With which ids are signed. */
  key: string
}

/** Where a process is, as the primary says it. */
export interface Given {
  slot?: number | undefined
  generation: number
  seat: number
  row: number
  names: Names
  /** Whether the application calls `cluster.run` with its function. */
  awaitsMain: boolean
  requestUrls: 'path' | 'full' | false
  limits: Record<string, LimitSpec>
  sticky?: Sticky | undefined
  /** The shared maps, and their descriptors. */
  maps: { name: string; fd: number }[]
  /** Those that systemd opened. */
  sockets?: { name: string; fd: number }[]
}

export interface Place extends Given {
  /** Of the region. */
  fd: number
  inProcess?: boolean
}

/** With what a process begins: what its environment has as `RSPOOL_CLUSTER`. Times in milliseconds. */
export interface Settings {
  place: Place
  /** The pid. */
  primary: number
  grace: number
  drainIdle: number
  maxQueuedBytes: number
  orphanGrace: number
  budget: boolean
  stallStack: boolean
}

/** A message of the application's, a request, or what came of one. */
export interface Mail {
  rspool: 'message'
  kind?: unknown
  id?: unknown
  body?: unknown
  error?: unknown
}

/** A socket that belongs to a session of another process, with what was read of it. */
export interface HandedOver {
  rspool: 'socket'
  slot: number
  generation: number
  /** Which server of the application. */
  server: string | undefined
  /** Base64. */
  head: string
  /** That process has gone. */
  back?: boolean
}

/** What the primary sends. */
export type ToProcess =
  | HandedOver
  | { rspool: 'drain'; grace: number; idle: number }
  | { rspool: 'stopping' }
  | { rspool: 'assign'; slot: number; generation: number; row: number; env: Record<string, string | undefined> }
  | { rspool: 'missing?' }
  | Mail

/** What a process sends. */
export type ToPrimary =
  | HandedOver
  | { rspool: 'ready' | 'spare' | 'draining' }
  | { rspool: 'drained'; forced?: boolean }
  | { rspool: 'failed'; error: { name?: string; message: string; stack?: string; code?: string } }
  | { rspool: 'missing'; missing: string }
  | Mail
