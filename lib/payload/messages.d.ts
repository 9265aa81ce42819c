// The messages through the port between an owner and one of its isolates: one tuple per kind.

import type { Transferable } from 'node:worker_threads'
import type { TaskOptions } from '../pool/options/task-options.js'
import type { PORT_MESSAGE } from './port.js'
import type { Description } from './thrown.js'

type Kind = typeof PORT_MESSAGE

/** The messages that an isolate sends. `ticket` and `generation` name the call that a message is for. */
export type FromIsolate =
  | [Kind['HOLD']]
  | [Kind['FLUSHED']]
  | [Kind['HEAP'], used: number, total: number]
  | [Kind['FATAL'], description: Description]
  | [Kind['EXIT'], code: number]
  | [Kind['NOT_FOUND'], target: number]
  | [Kind['RESULT'], ticket: number, generation: number, value: unknown]
  | [Kind['PROGRESS'], ticket: number, generation: number, value: unknown]
  | [Kind['ITEMS'], ticket: number, generation: number, items: unknown[], slot: number]
  | [Kind['TAKE'], ticket: number, generation: number, count: number, slot: number]
  | [
      Kind['NESTED'],
      ticket: number,
      generation: number,
      id: number,
      ...(
        | [native: true, target: number, input: unknown, options: TaskOptions, transferList?: readonly Transferable[]]
        | [native: false, target: string, input: unknown, options: TaskOptions, transferList?: readonly Transferable[]]
      )
    ]
  | [Kind['NESTED_ABORT'], id: number]

/** The messages that an owner sends. */
export type ToIsolate =
  | [
      Kind['INPUT'],
      slot: number,
      generation: number,
      target: number,
      ticket: number,
      input: unknown,
      /** Whether the isolate does not know of the task yet. */
      direct: boolean
    ]
  | [Kind['GONE'], slot: number, generation: number]
  | [Kind['HEAP']]
  | [Kind['FLUSH']]
  | [Kind['HAND_OVER']]
  | [Kind['CREDIT'], slot: number, generation: number, count: number]
  | [Kind['FEED'], slot: number, generation: number, items: unknown[]]
  | [Kind['FEED_END'], slot: number, generation: number, failure: Description | undefined]
  | [Kind['NESTED_QUEUED'], id: number]
  | [Kind['NESTED_DONE'], id: number, fine: boolean, value: unknown]

/** The messages of a kind. */
export type Of<Message, K> = Message extends [K, ...unknown[]] ? Message : never

/** A message for a stream, without the numbers that name its receiver. */
export type StreamMessage =
  | [Kind['ITEMS'], items: unknown[]]
  | [Kind['TAKE'], count: number]
  | [Kind['CREDIT'], count: number]
  | [Kind['FEED'], items: unknown[]]
  | [Kind['FEED_END'], failure: Description | undefined]
