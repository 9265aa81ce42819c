// The supervisor in the primary: it steers the processes and reports about them.

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
  /** True if the supervisor wanted the end, or the process was told to end: this is no failure. */
  readonly planned: boolean
  /** True if work was cut: the process was killed, or its grace was over. */
  readonly forced: boolean
  /** The error that ended the process, if the process could still report it. */
  readonly error?: { name?: string; message: string; stack?: string; code?: string }
}

/** The options of {@link Supervisor.reload}: new options of the processes, and how the processes are replaced. */
export interface ReloadOptions extends ProcessOptions {
  /** The file to run from now on. */
  filename?: string | URL
  /** 'surge': replace slot by slot. 'all': all new processes are ready before the first old one ends. @default 'surge' */
  strategy?: 'surge' | 'all'
  /**
   * The first new processes serve beside the old ones for a while. The reload is given up if they die or answer with
   * 5xx too often.
   */
  canary?:
    | boolean
    | {
        /** How many new processes are the canary. @default 1 */
        slots?: number
        /** For how many milliseconds they are watched. @default 1000 */
        watch?: number
        /** How many answers with 5xx are allowed. @default 0 */
        maxErrors?: number
      }
}

/** The report of a reload. */
export interface ReloadReport {
  /** Slots that have a new process. */
  readonly replaced: number
  /** Old processes whose work was cut because their grace was over. */
  readonly forced: number
  /** How long it took, in milliseconds. */
  readonly durationMs: number
}

/** The events of a {@link Supervisor}, with the arguments of their listeners. */
export interface SupervisorEvents {
  /**
   * The state of a slot has changed. `pid` is the pid of its process, if it has one. `delay`, with `to: 'backing-off'`, is
   * the time until the next start in milliseconds.
   */
  state: [info: { slot: number; pid: number | undefined; from: SlotState; to: SlotState; delay?: number }]
  /** A process has ended; `cause` says why. */
  exit: [info: Sender & { cause: Cause }]
  /** A process has sent a message with `context.send()`. */
  message: [message: any, sender: Sender]
  /**
   * The event loop of a process has not turned for `silentMs` milliseconds, and the process is being killed. `stack` is its
   * JavaScript stack, the innermost frame first; empty if it could not be read.
   */
  stalled: [info: Sender & { silentMs: number; stack: string }]
  /** A process is above `memoryLimit`, with `rss` bytes of its own, and is being replaced. */
  memory: [info: Sender & { rss: number }]
  /** A process is being replaced because it has reached a limit. */
  recycle: [info: Sender & { reason: 'memory' | 'age' | 'requests' }]
  /** The state of a spare process has changed. `slot` is the slot that it got, and `cause` the cause of its end. */
  spare: [
    info: { pid: number | undefined; to: 'booting' | 'ready' | 'assigned' | 'ended'; slot?: number; cause?: Cause }
  ]
  /**
   * Connections that an ended process had not taken: how many were given to other processes, kept for the next process,
   * or closed because none was to come.
   */
  handoff: [info: Sender & { resent: number; kept: number; closed: number }]
  /** A slot has died `restarts` times within the window. `held`: it gets no further process until `restart()` or `reload()`. */
  crashloop: [info: { slot: number; restarts: number; held: boolean }]
  /** A reload has ended well. */
  reload: [report: ReloadReport]
  /** The last process has ended. `exitCode` is the code that the program would end with. */
  close: [exitCode: number]
}

/** The result of {@link run} in the primary. It steers the processes, and reads their state. */
export interface Supervisor extends EventEmitter<SupervisorEvents>, Topics {
  /**
   * Resolves when every slot is ready, or has failed while others are ready. Rejects with `ERR_RSPOOL_NO_BOOT`,
   * `ERR_RSPOOL_CRASH_LOOP` or `ERR_RSPOOL_CLUSTER_STOPPED`.
   */
  readonly ready: Promise<void>
  /** Resolves with the exit code when the last process has ended. */
  readonly closed: Promise<number>
  /** How many slots there are. */
  readonly size: number
  /** The slots as they are now. `pid` is undefined if the slot has no process. */
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
   * Replaces all processes; a new process is ready before the old one ends. Calls made during a reload share the next
   * reload. Rejects with `ERR_RSPOOL_RELOAD` if a new process does not get ready: then the old ones go on.
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>
  /**
   * Changes the number of processes. Resolves when the new processes are ready, or the old ones have ended. Rejects
   * with `ERR_RSPOOL_NOT_READY` if a new process does not get ready.
   */
  scale(processes: number): Promise<void>
  /**
   * Replaces the process of one slot, and starts the new process first; or revives a slot that has failed. Rejects with
   * `ERR_RSPOOL_NOT_READY` if the new process does not get ready.
   */
  restart(slot: number): Promise<void>
  /** Drains all processes. The program then ends by itself if nothing else keeps it alive. */
  stop(): Promise<{ forced: number; durationMs: number }>
  /** The readings of the cluster and of each process. They come from shared memory and `/proc`; no process is asked. */
  status(): ClusterStatus
  /** The metrics as text for Prometheus. No process is asked. */
  metrics(): string
  /** Sends a message to the process of a slot. Resolves when the channel has taken the message. */
  send(slot: number, message: unknown): Promise<void>
  /** Sends a message to all processes, and gives how many took it. */
  broadcast(message: unknown): Promise<number>
  /**
   * Sends a request to the process of a slot, and gives the answer of its `onRequest`. Rejects as
   * {@link Messages.request} does.
   */
  request(slot: number, message: unknown, options?: { timeout?: number }): Promise<any>
  /** Sets the function that answers the requests of processes. Its result, awaited, is the answer. */
  onRequest(answer: (message: any, sender: Sender) => unknown): void
}
