// What the primary and its processes tell each other.

import type { LimitSpec } from './keys.js'
import type { Names } from './region.js'

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

/** What the primary sends. */
export type ToProcess =
  | { rspool: 'drain'; grace: number; idle: number }
  | { rspool: 'stopping' }
  | { rspool: 'assign'; slot: number; generation: number; row: number; env: Record<string, string | undefined> }
  | { rspool: 'missing?' }
  | Mail

/** What a process sends. */
export type ToPrimary =
  | { rspool: 'ready' | 'spare' | 'draining' }
  | { rspool: 'drained'; forced?: boolean }
  | { rspool: 'failed'; error: { name?: string; message: string; stack?: string; code?: string } }
  | { rspool: 'missing'; missing: string }
  | Mail
