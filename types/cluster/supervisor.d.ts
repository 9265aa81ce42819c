// What the primary has: steering the processes, and hearing of them.

import type { EventEmitter } from 'node:events'
import type { Limit } from '../locks.js'
import type { SharedMap } from '../shared-map.js'
import type { ClusterCounters, ClusterGauges, ClusterHistograms } from './counters.js'
import type { Sender, Topics } from './messages.js'
import type { ProcessOptions } from './options.js'
import type { ClusterStatus, SlotState } from './status.js'

/** Why a process ended. */
export interface Cause {
  /**
   * `'exit'`, `'signal'`: it ended by itself, or was killed from outside. `'boot-error'`: `main` or the file threw.
   * `'ready-timeout'`: it was not ready in time. `'stalled'`: its event loop did not turn. `'out-of-memory'`: of the heap, or of
   * the control group. `'stop'`, `'reload'`, `'restart'`, `'scale'`: the call of that name. `'roll-back'`: a reload was given up.
   * `'memory'`, `'age'`, `'requests'`: `memoryLimit` or `recycle`. `'forced'`: a second signal to the primary.
   */
  readonly kind:
    | 'exit'
    | 'signal'
    | 'boot-error'
    | 'ready-timeout'
    | 'stalled'
    | 'out-of-memory'
    | 'stop'
    | 'reload'
    | 'restart'
    | 'scale'
    | 'roll-back'
    | 'memory'
    | 'age'
    | 'requests'
    | 'forced'
  /** The exit code; null if a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, or null. */
  readonly signal: NodeJS.Signals | null
  /** A sentence for people. */
  readonly message: string
  /** The supervisor wanted it, or the process was told to end: no failure. */
  readonly planned: boolean
  /** Work was cut: it was killed, or its grace was over. */
  readonly forced: boolean
  /** The error that ended it, if it could still tell. */
  readonly error?: { name?: string; message: string; stack?: string; code?: string }
}

/** The options of {@link Supervisor.reload}: what is new for the processes, and how they are replaced. */
export interface ReloadOptions extends ProcessOptions {
  /** Another file from now on. */
  filename?: string | URL
  /** 'surge': slot by slot. 'all': all new processes are ready before the first old one goes. @default 'surge' */
  strategy?: 'surge' | 'all'
  /** The first new processes serve beside the old ones for a while, and may neither die nor answer with 5xx too often. */
  canary?:
    | boolean
    | {
        /** How many. @default 1 */
        slots?: number
        /** For how long. @default 1000 */
        watch?: number
        /** How many answers with 5xx are allowed. @default 0 */
        maxErrors?: number
      }
}

/** What a reload did. */
export interface ReloadReport {
  /** Slots that have a new process. */
  readonly replaced: number
  /** Old processes that had to be cut, since their grace was over. */
  readonly forced: number
  /** How long it took, in milliseconds. */
  readonly durationMs: number
}

/** The events of a {@link Supervisor}, with the arguments of their listeners. */
export interface SupervisorEvents {
  /**
   * The state of a slot has changed; `pid` is that of its process, if it has one. `delay`: with `to: 'backing-off'`, how long
   * until the next start, in milliseconds.
   */
  state: [info: { slot: number; pid: number | undefined; from: SlotState; to: SlotState; delay?: number }]
  /** A process has ended, and why. */
  exit: [info: Sender & { cause: Cause }]
  /** A process has sent a message with `context.send()`. */
  message: [message: any, sender: Sender]
  /**
   * The event loop of a process has not turned for `silentMs` milliseconds, and the process is being killed. `stack` is what its
   * JavaScript does, the innermost frame first; empty where it could not be read.
   */
  stalled: [info: Sender & { silentMs: number; stack: string }]
  /** A process is above `memoryLimit`, with `rss` bytes of its own, and is being replaced. */
  memory: [info: Sender & { rss: number }]
  /** A process is being replaced since it has reached a limit. */
  recycle: [info: Sender & { reason: 'memory' | 'age' | 'requests' }]
  /** What became of a spare process; with the slot that it was given, or the cause of its end. */
  spare: [
    info: { pid: number | undefined; to: 'booting' | 'ready' | 'assigned' | 'ended'; slot?: number; cause?: Cause }
  ]
  /** Connections that an ended process had not taken: given to others, kept for the next process, or closed as none was to come. */
  handoff: [info: Sender & { resent: number; kept: number; closed: number }]
  /** A slot has died `restarts` times within the window. `held`: it gets no further process until `restart()` or `reload()`. */
  crashloop: [info: { slot: number; restarts: number; held: boolean }]
  /** A reload has ended well. */
  reload: [report: ReloadReport]
  /** The last process has gone. `exitCode` is what the program would end with. */
  close: [exitCode: number]
}

/** What {@link run} gives in the primary: steers the processes, and reads them. */
export interface Supervisor extends EventEmitter<SupervisorEvents>, Topics {
  /** Resolves when every slot is ready, or has failed while others are; rejects with `ERR_RSPOOL_NO_BOOT`, `ERR_RSPOOL_CRASH_LOOP` or `ERR_RSPOOL_CLUSTER_STOPPED`. */
  readonly ready: Promise<void>
  /** Resolves with the exit code when the last process has gone. */
  readonly closed: Promise<number>
  /** How many slots there are. */
  readonly size: number
  /** The slots as they are now; `pid` is undefined where there is no process. */
  readonly processes: { slot: number; pid: number | undefined; generation: number; state: SlotState }[]
  /** The counters that the option `counters` names, over all processes. */
  readonly counters: ClusterCounters
  /** The gauges that the option `gauges` names, over all processes. */
  readonly gauges: ClusterGauges
  /** The histograms that the option `histograms` names, over all processes. */
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** The limits that the option `limits` names. */
  readonly limits: Readonly<Record<string, Limit>>
  /**
   * Replaces all processes, the new ones first. Calls made during a reload share the next reload. Rejects with
   * `ERR_RSPOOL_RELOAD` when a new process does not get ready: then the old ones go on.
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>
  /**
   * Changes the number of processes; resolves when the new ones are ready, or the old ones gone. Rejects with
   * `ERR_RSPOOL_NOT_READY` when a new process does not get ready.
   */
  scale(processes: number): Promise<void>
  /**
   * Replaces the process of one slot, the new one first, or revives a slot that failed. Rejects with `ERR_RSPOOL_NOT_READY` when
   * the new process does not get ready.
   */
  restart(slot: number): Promise<void>
  /** Drains all processes. The program ends by itself if nothing else keeps it. */
  stop(): Promise<{ forced: number; durationMs: number }>
  /** What is known of the cluster and of each process. Reads shared memory and `/proc`: no process is asked. */
  status(): ClusterStatus
  /** Prometheus text. No process is asked. */
  metrics(): string
  /** Sends to the process of a slot. Resolves when the channel has taken the message. */
  send(slot: number, message: unknown): Promise<void>
  /** Sends to all processes, and gives how many took the message. */
  broadcast(message: unknown): Promise<number>
  /** Sends to the process of a slot, and gives the answer of its `onRequest`; rejects as {@link Messages.request} does. */
  request(slot: number, message: unknown, options?: { timeout?: number }): Promise<any>
  /** Sets the function that answers the requests of processes: its result, awaited, is the answer. */
  onRequest(answer: (message: any, sender: Sender) => unknown): void
}
