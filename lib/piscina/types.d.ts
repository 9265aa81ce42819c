// Types that the parts of piscina's interface share.

import type { Transferable } from 'node:worker_threads'
import type { FilledOptions } from '../../piscina.js'
import type { Signal } from '../../types/tasks.js'
import type { Call } from './call.js'
import type { View } from './view.js'

/** How a task is to be run. */
export interface How {
  filename: string | null
  name: string
  signal: Signal | null
  transferList: readonly Transferable[] | undefined
}

/** A queue of the user, or one of this package. */
export interface TaskQueue<Task = Call> {
  readonly size: number
  push(task: Task): void
  unshift?(task: Task): void
  shift(): Task | null
  remove(task: Task): void
}

/** Chooses one of the threads for a task. */
export type Balancer = (task: Call['interface'], workers: View[]) => View | null | undefined

/** The options of a piscina, with the defaults filled in. */
export interface Options extends Omit<FilledOptions, 'taskQueue' | 'loadBalancer'> {
  taskQueue: TaskQueue
  loadBalancer?: Balancer | undefined
}

/** The part of a piscina that its way of dispatching tasks needs. */
export interface Owner {
  emit(event: string, ...args: unknown[]): void
  complain(error: unknown): void
  done(call: Call, failed: boolean, value: unknown): void
}
