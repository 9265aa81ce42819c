'use strict'

/** The kinds of messages through the port between an owner and one of its isolates. */
const PORT_MESSAGE = Object.freeze({
  RESULT: 2,
  INPUT: 3,
  GONE: 4,
  PROGRESS: 5,
  // Before the process ends: write all output, and say so.
  FLUSH: 6,
  FLUSHED: 7,
  // Of streams, to the owner: the items that were yielded, and how many more inputs there is room for (-1: none).
  ITEMS: 8,
  TAKE: 9,
  // Of streams, to the isolate: how many more items there is room for, the inputs, and the end of the inputs.
  CREDIT: 10,
  FEED: 11,
  FEED_END: 12,
  // Of an isolate that ends: the error that ends it, and its exit code.
  FATAL: 13,
  EXIT: 14,
  // Of nested tasks, to the owner: one is to run, one is given up.
  NESTED: 15,
  NESTED_ABORT: 16,
  // The question for the size of the heap, and its answer.
  HEAP: 18,
  // Of nested tasks, to the isolate: one is in the queue, one has ended.
  NESTED_QUEUED: 19,
  NESTED_DONE: 20,
  // A result waits until the output of its task has been read; and: it must not wait, since the owner cannot read.
  HOLD: 21,
  HAND_OVER: 22,
  // To the owner: there is no function of this number.
  NOT_FOUND: 23
})

module.exports = { PORT_MESSAGE }
