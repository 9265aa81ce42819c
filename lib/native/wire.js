'use strict'

// Every number that Rust and JavaScript both know. Written by a test of src/wire.rs: change it there.

/** Where each 32-bit number of a native call is, in 32-bit steps: what is written for it (in), and what it answers (out). */
const CELL = Object.freeze({
  /** in: which pool of the environment. */
  POOL: 0,
  /** in and out: the owner's name for the call. */
  TICKET: 1,
  /** in and out: which function. */
  TARGET: 2,
  /** in and out: what the payload's body means. */
  TAG: 3,
  /** in and out: where the payload's body is. */
  FORM: 4,
  /** in and out: bytes of the payload's body. */
  LENGTH: 5,
  /** in: -20 to 19. */
  PRIORITY: 6,
  /** in: the lane, and beside it bits. */
  LANE: 7,
  /** in: milliseconds, -1 for no limit. */
  TIMEOUT: 8,
  /** in: milliseconds, -1 for no limit. */
  QUEUE_TIMEOUT: 9,
  /** out: what happened. */
  RESULT: 10,
  /** out: the task's key. */
  KEY: 11,
  /** in and out: the task's generation. */
  GENERATION: 12,
  /** out: the worker whose isolate the caller starts, or -1. */
  START: 13,
  /** in: the slot of the finished task, or -1. out: the slot of the new one. */
  SLOT: 14,
  /** in: how the task ended. */
  STATUS: 15,
  /** in: how often the task may start again after its worker has died. */
  RETRIES: 16,
  /** in: 0 for any worker, a key above 0, or -1 - the id of the only worker. */
  PLACEMENT: 17
})

/** Where each 64-bit float of a native call is, in 64-bit steps behind the cells. */
const NUMBER = Object.freeze({
  /** in and out: the payload that is a number. */
  PAYLOAD: 12,
  /** out: the scheduler's clock in milliseconds. */
  CLOCK: 13,
  /** in: milliseconds until the deadline; negative is none. */
  DEADLINE: 14
})

/** Bytes of the memories that an environment and its native functions share, and of what is in them. No two of them overlap. */
const SIZE = Object.freeze({
  /** The cells and numbers of a native call. */
  CALL: 128,
  /** Where a value is encoded, for a native call to take. */
  SCRATCH: 65536,
  /** The input of the task that `exchange` gives. */
  INPUT: 16384,
  /** The notices of a drain. */
  NOTICES: 65536,
  /** A payload of so many bytes, or fewer, goes through these memories when Rust sends it. */
  INLINE: 16384,
  /** A payload of so many bytes, or fewer, is copied by JavaScript; a native call takes more of them. */
  COPIED: 2048,
  /** From so many bytes on, a native task reads what is moved, shared or lent in place; fewer are copied. */
  IN_PLACE: 16384,
  /** The four numbers of a notice. */
  HEADER: 16,
  /** What a shared map gives besides primitive values. */
  MAP: 65536
})

/** Where the body of a payload is. */
const FORM = Object.freeze({
  /** It is a number. */
  NUMBER: 0,
  /** Bytes in the memory for it: that of encoding, or of the input. */
  BYTES: 1,
  /** Bytes elsewhere: an argument of the call, or a blob. */
  ELSEWHERE: 2,
  /** As `ELSEWHERE`, read in place: nobody writes there while the task is under way. */
  LENT: 3,
  /** As `LENT`, on shared memory, which others may write. */
  SHARED: 4,
  /** A head, and then the tag, the form and the bytes of each part, in a list. */
  PARTS: 5,
  /** The number of a shared map. */
  MAP: 6
})

/** The lane of a task, and bits beside it. */
const LANE = Object.freeze({
  NATIVE: 0,
  SCRIPT: 1,
  /** The scheduler tells when the task starts, and how long it ran. */
  OBSERVED: 2,
  /** Room in the queue has been reserved for it. */
  RESERVED: 4,
  /** No other worker is to help with it. */
  ALONE: 8
})

/** Functions of the script lane by number. */
const TARGET = Object.freeze({
  /** The pool's own: what its `run` calls. */
  OWN: 0
})

/** What `submit` says. */
const SUBMITTED = Object.freeze({
  ACCEPTED: 0,
  /** The queue is full. */
  FULL: 1,
  CLOSED: 2
})

/** What `exchange` says. */
const STEP = Object.freeze({
  /** There is nothing to do: wait for the doorbell. */
  IDLE: 0,
  RUN: 1,
  RETIRE: 2
})

/** How a task ended, as its isolate says it. */
const STATUS = Object.freeze({
  RETURNED: 0,
  THREW: 1,
  /** What it gave cannot be cloned. */
  NOT_CLONED: 2
})

/** Why a call was never submitted. */
const UNSUBMITTED = Object.freeze({
  /** Its signal was aborted already. */
  ABORTED: 0,
  /** Its input cannot be cloned. */
  NOT_CLONED: 1,
  /** The pool does not take it. */
  REFUSED: 2
})

/** Why the doorbell was rung, as bits. */
const RING = Object.freeze({
  /** There is something in the outbox. */
  OUTBOX: 1,
  /** The idle worker is to look for tasks. */
  LANE: 2,
  /** A task that the worker runs was given up; its flag says which. */
  CANCEL: 4,
  /** The environment has asked for a turn of its event loop. */
  TURN: 8,
  /** There are messages of the cluster. */
  MESSAGES: 64,
  /** Some connections have their first bytes. */
  FIRST_BYTES: 128,
  /** A lock of the cluster may have come free. */
  LOCKS: 32,
  /** Something may have changed in a shared map that it waits for. */
  MAP: 16
})

/** What became of a message that was to be published. */
const PUBLISHED = Object.freeze({
  DONE: 0,
  /** It has too many bytes. */
  TOO_LONG: 1,
  /** A process that has stopped while it was publishing is in the way. */
  BUSY: 2,
  /** The region is damaged. */
  BROKEN: 3,
  /** The region has no ring. */
  NONE: 4
})

/** Why a key could not be used. */
const REFUSED = Object.freeze({
  FULL: -1,
  /** A process that has stopped is in the way. */
  BUSY: -2,
  /** It is no string of 1 to 250 bytes. */
  KEY: -3
})

/** The first number of a drained notice: how a task ended, or (from 16) what a pool has to do, or (from 32) what happens to an observed task. */
const NOTICE = Object.freeze({
  RETURNED: 0,
  THREW: 1,
  /** A native task failed: a code and a message. */
  FAILED: 2,
  TASK_TIMEOUT: 3,
  QUEUE_TIMEOUT: 4,
  POOL_CLOSED: 5,
  WORKER_GONE: 6,
  /** No worker could be started. */
  WORKER_START: 7,
  DEADLINE: 8,
  CANCELLED: 9,
  /** Start an isolate. */
  START: 16,
  /** End an isolate. */
  TERMINATE: 17,
  /** An isolate has not started in the time that it may take. */
  STARTED_TOO_LATE: 18,
  /** A lane of a closed pool has no worker left. */
  LANE_ENDED: 19,
  /** An isolate runs no more. */
  GONE: 20,
  /** There is a message in the port of an isolate. */
  LOOK: 21,
  /** The code of an isolate does not run yet; if the loop is blocked, it does not see why. */
  NOT_BEGUN: 22,
  /** A time is over that the owner waits for. */
  REMIND: 23,
  /** An isolate was rung, runs no task and does not come. */
  STALLED: 24,
  /** An isolate has started. */
  READY: 25,
  /** A worker has taken a task whose input is to be sent through its port: a slot, a ticket, a generation and a target follow. */
  WANTED: 26,
  /** A worker has taken the task. */
  STARTED: 32,
  /** How long it ran. */
  RAN: 33,
  /** How far a native task says that it is. */
  PROGRESS: 34,
  /** A chunk of a native stream: its ticket and its generation, then a header and a payload as of an outcome. */
  CHUNK: 35
})

/** Why an isolate is to be ended. */
const ENDING = Object.freeze({
  /** Its task was given up, and has not stopped in the time that it gets for that. */
  GIVEN_UP: 1,
  /** It was told to end, and has not in the time that it gets for that. */
  LEAVES_LATE: 2,
  /** The same, of a closed pool. */
  CLOSED_LATE: 3
})

/** What a pool may be reminded of. */
const REMINDER = Object.freeze({
  /** It is to have closed. */
  CLOSE: 0,
  /** What its isolates have written is to be there. */
  OUTPUT: 1,
  /** Isolates are started again, after one could not be. */
  RETRY: 2
})

/** What a payload is. Of a view the type is in the bits above. */
const TAG = Object.freeze({
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  NUMBER: 4,
  LATIN1: 5,
  UTF16: 6,
  /** Hexadecimal digits, with a sign where it is negative. */
  BIGINT: 7,
  VIEW: 8,
  /** Plain data as `lib/payload/encode.js` writes it. */
  CODEC: 9,
  /** It goes through a port; the number says from which worker. */
  PORT: 10,
  JSON: 11,
  UTF8: 12,
  /** A whole number of 64 bits, in a shared map. */
  INT64: 13,
  /** An object or a list with parts that JSON cannot carry. Its head is JSON: the whole `value`, and its `parts`, each by its path and its tag. */
  RECORD: 14,
  /** A shared map. */
  MAP: 15
})

/** Where each 32-bit number of what a shared map gives is, in 32-bit steps. */
const MAP_CELL = Object.freeze({
  /** What the value is. */
  TAG: 0,
  /** Bytes of the value. */
  LENGTH: 1,
  /** The word that names the first block of the entry, in 32-bit steps into the words of the map. */
  WAY: 2,
  /** What that word is. */
  BLOCK: 3,
  /** The word of that block's generation. */
  STATE: 4,
  /** What that word is. */
  GENERATION: 5,
  /** The word that says which entries were read. */
  CLOCK: 6,
  /** The bit there of this entry. */
  BIT: 7,
  /** Why nothing was done. */
  FAILURE: 8,
  /** The set to go on with, or -1. */
  NEXT: 9,
  /** 1 if the value is past its time, and good only for `stale`. */
  STALE: 10
})

/** Where each 64-bit float of that is, in 64-bit steps. */
const MAP_NUMBER = Object.freeze({
  /** When the entry is over, in microseconds of the monotonic clock; 0 for never. */
  EXPIRES: 6,
  /** The version of the entry. */
  VERSION: 7
})

/** Where the bytes of the value begin. */
const MAP_VALUE = Object.freeze({
  AT: 64
})

/** Words of a shared map that JavaScript reads, in 64-bit steps. */
const MAP_WORD = Object.freeze({
  /** The coarse clock: the monotonic one, in ticks. Somebody turns it at least every few ticks. */
  TICKS: 88
})

/** The coarse clock of shared maps. */
const MAP_TICK = Object.freeze({
  /** Microseconds of a tick. */
  MICROSECONDS: 65536,
  /** The clock is never so many ticks late while any process that keeps entries that end has the CPU now and then. */
  MARGIN: 32
})

/** When a shared map takes a value. */
const PUT = Object.freeze({
  /** Always. */
  SET: 0,
  /** If there is none. */
  ADD: 1,
  /** If the entry has this version; 0 for none. */
  VERSION: 2,
  /** If the value there is what `expect` was given. */
  EXPECTED: 3
})

/** What a shared map has done. */
const MAPPED = Object.freeze({
  /** Nothing: it is not as it was to be. */
  NO: 0,
  YES: 1,
  FULL: 2,
  BUSY: 3,
  /** It is not a key. */
  KEY: 4,
  /** The value has too many bytes. */
  LONG_VALUE: 5,
  /** There is something else than a number. */
  NO_NUMBER: 6,
  /** The sum has more than 64 bits. */
  OVERFLOW: 7
})

/** The type of a view. */
const VIEW = Object.freeze({
  UINT8: 0,
  INT8: 1,
  UINT8_CLAMPED: 2,
  INT16: 3,
  UINT16: 4,
  INT32: 5,
  UINT32: 6,
  FLOAT32: 7,
  FLOAT64: 8,
  BIG_INT64: 9,
  BIG_UINT64: 10,
  DATA_VIEW: 11,
  FLOAT16: 12,
  /** An ArrayBuffer by itself. */
  ARRAY_BUFFER: 254,
  /** A Buffer, as a result of a native task; as its input any bytes. */
  BUFFER: 255
})

/** Which times of a pool's tasks. */
const TIMES = Object.freeze({
  WAIT: 0,
  RUN: 1
})

/** A cache line, on which each counter begins. */
const LINE = Object.freeze({
  BYTES: 64,
  /** 64-bit cells. */
  CELLS: 8
})

/** Word numbers (8 bytes each) of a seat. */
const SEAT = Object.freeze({
  /** The process id, 0 while the seat is free. */
  PID: 0,
  /** When the event loop of the process last turned, in microseconds of the monotonic clock. */
  BEAT: 1,
  /** One of `SEAT_STATE`. */
  STATE: 2,
  /** 1 while an inspector is open in the process. */
  DEBUGGED: 3,
  /** The last request to the helper thread: its number, an argument and a kind. */
  ASKED: 4,
  /** Bytes of the text that answers the last request. */
  TEXT_LENGTH: 5,
  /** Requests begun. */
  REQUESTS: 6,
  /** Connections open. */
  CONNECTIONS: 7,
  /** Requests begun and not finished. */
  IN_FLIGHT: 8,
  /** Event-loop delay, in microseconds. */
  LOOP_DELAY: 9,
  /** Event-loop utilization, in millionths. */
  UTILIZATION: 10,
  /** Bytes of the JavaScript heap in use. */
  HEAP_USED: 11,
  /** Bytes that the JavaScript heap may reach. */
  HEAP_LIMIT: 12,
  /** Bytes outside of the heap that JavaScript objects hold. */
  EXTERNAL: 13,
  /** Tasks waiting in the pools of the process. */
  POOL_QUEUED: 14,
  /** Tasks running in the pools of the process. */
  POOL_RUNNING: 15,
  /** Responses with a status of 500 or more. */
  ERRORS: 16,
  /** The last request to the helper thread that was answered: its number, and whether the answer is one, a failure, or taken. */
  ANSWERED: 17,
  /** The slot of the process, plus 1; 0 for a spare. */
  SLOT: 18,
  /** Which process of its slot it is. */
  GENERATION: 19,
  /** Its row of cells. */
  ROW: 20,
  /** When it was started, in microseconds of the monotonic clock. */
  STARTED: 21,
  /** When it became ready, in microseconds of the monotonic clock; 0 before. */
  READY: 22
})

/** What a process says of itself in its seat. */
const SEAT_STATE = Object.freeze({
  FREE: 0,
  BOOTING: 1,
  READY: 2,
  DRAINING: 3
})

/** Which of the two requests of a seat. Each has half of the bytes. */
const REQUEST = Object.freeze({
  /** The oldest in flight. */
  OLDEST: 0,
  /** The last begun. */
  LAST: 1
})

/** Word numbers of a request of a seat. */
const REQUEST_WORD = Object.freeze({
  /** When it began, in microseconds of the monotonic clock; 0 for none. */
  BEGAN: 0,
  /** Bytes of the text. */
  LENGTH: 1,
  /** The first word of its method and URL. */
  TEXT: 2
})

/** Word numbers of what is known of a slot. */
const SLOT = Object.freeze({
  /** One of `SLOT_STATE`. */
  STATE: 0,
  /** Processes that the slot has had. */
  GENERATION: 1,
  /** Processes that were started after one had died. */
  RESTARTS: 2,
  /** When the state last changed, in microseconds of the monotonic clock. */
  CHANGED: 3,
  /** Bytes of the cause. */
  CAUSE_LENGTH: 4,
  /** The first word of the cause of the last death. */
  CAUSE: 8
})

/** What the primary says of a slot. */
const SLOT_STATE = Object.freeze({
  STOPPED: 0,
  BOOTING: 1,
  READY: 2,
  DRAINING: 3,
  BACKING_OFF: 4,
  FAILED: 5,
  STALLED: 6
})

/** Word numbers of the section that all processes share. */
const SHARED = Object.freeze({
  /** The number of rows of cells that were ever given out; readers sum only these. */
  ROWS_USED: 0,
  /** How many slots there are to be. */
  SIZE: 1,
  /** One of `PHASE`. */
  PHASE: 2,
  /** Reloads that are done. */
  RELOADED: 3,
  /** Reloads that were given up. */
  RELOADS_FAILED: 4,
  /** The process id of the primary, as it sees itself. */
  PRIMARY: 5,
  /** When the event loop of the primary last turned, in microseconds of the monotonic clock. */
  PRIMARY_BEAT: 6,
  /** 1 while the primary has an admin socket. */
  ADMIN: 7,
  /** 32-bit word: grows with every release of a token of the budget; those that wait sleep on it. */
  BUDGET_WAKE: 8,
  /** 32-bit word: how many sleep on it. */
  BUDGET_WAITERS: 9,
  /** The last ticket that was drawn for a lock. */
  TICKETS: 10,
  /** How many of the claims on locks were ever taken; readers look at only these. */
  CLAIMS_USED: 11,
  /** By which keys are hashed: nobody can choose some that fall together. */
  SEED: 12
})

/** What a cluster is doing. */
const PHASE = Object.freeze({
  RUNNING: 0,
  STOPPING: 1,
  STOPPED: 2
})

/** What the helper thread of a process is asked for. */
const ASK = Object.freeze({
  /** The JavaScript stack of the main thread. */
  STACK: 1,
  /** Begin a CPU profile; it ends by itself after so many seconds. */
  START_PROFILE: 2,
  /** End it, and write it to a file. */
  STOP_PROFILE: 3,
  HEAP_SNAPSHOT: 4
})

module.exports = {
  CELL,
  NUMBER,
  SIZE,
  FORM,
  LANE,
  TARGET,
  SUBMITTED,
  STEP,
  STATUS,
  UNSUBMITTED,
  RING,
  PUBLISHED,
  REFUSED,
  NOTICE,
  ENDING,
  REMINDER,
  TAG,
  MAP_CELL,
  MAP_NUMBER,
  MAP_VALUE,
  MAP_WORD,
  MAP_TICK,
  PUT,
  MAPPED,
  VIEW,
  TIMES,
  LINE,
  SEAT,
  SEAT_STATE,
  REQUEST,
  REQUEST_WORD,
  SLOT,
  SLOT_STATE,
  SHARED,
  PHASE,
  ASK
}
