// The messages between the primary and its processes.

import type { LimitSpec } from './keys.js'
import type { Names } from './region.js'
import type { Where } from './sticky/reading.js'

/** How sessions are kept with their processes. */
export interface Sticky {
  where: Where
  /** The folder of the sockets to relay through; none with `processes: 0`. */
  folder?: string | undefined
  /** The key that signs ids. */
  key: string
}

/** The place of a process, as the primary gives it. */
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
  /** The sockets that systemd opened. */
  sockets?: { name: string; fd: number }[]
}

export interface Place extends Given {
  /** The descriptor of the region. */
  fd: number
  inProcess?: boolean
}

/** The settings with which a process begins, in `RSPOOL_CLUSTER` of its environment. Times in milliseconds. */
export interface Settings {
  place: Place
  /** The pid of the primary. */
  primary: number
  grace: number
  drainIdle: number
  maxQueuedBytes: number
  orphanGrace: number
  budget: boolean
  stallStack: boolean
}

/** A message of the application, a request, or the answer to one. */
export interface Mail {
  rspool: 'message'
  kind?: unknown
  id?: unknown
  body?: unknown
  error?: unknown
}

/** A socket that belongs to a session of another process, with the bytes that were read from it. */
export interface HandedOver {
  rspool: 'socket'
  slot: number
  generation: number
  /** The server of the application that it belongs to. */
  server: string | undefined
  /** The bytes that were read, in Base64. */
  head: string
  /** Whether the process of the session has gone. */
  back?: boolean
}

/** The messages that the primary sends. */
export type ToProcess =
  | HandedOver
  | { rspool: 'drain'; grace: number; idle: number }
  | { rspool: 'stopping' }
  | { rspool: 'assign'; slot: number; generation: number; row: number; env: Record<string, string | undefined> }
  | { rspool: 'missing?' }
  | Mail

/** The messages that a process sends. */
export type ToPrimary =
  | HandedOver
  | { rspool: 'ready' | 'spare' | 'draining' }
  | { rspool: 'drained'; forced?: boolean }
  | { rspool: 'failed'; error: { name?: string; message: string; stack?: string; code?: string } }
  | { rspool: 'missing'; missing: string }
  | Mail
