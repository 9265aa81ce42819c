'use strict'

// The readings of an isolate that the scheduler does not have: its heap and its event loop. They do not wait for a turn
// of that loop, so they are right while the isolate hangs. The heap is as old as its `age` says.

const { nameOf } = require('../task/native-targets')
const { PORT_MESSAGE } = require('../../payload/port')

/** Milliseconds after which the heap is read again. */
const FRESH = 50

/** @typedef {InstanceType<typeof import('../isolates/isolate').Isolate>} Isolate */
/** @typedef {{ used: number, total: number, limit: number | null, at: number }} Heap */

/** @type {WeakMap<object, Heap>} */
const heaps = new WeakMap()
/** The isolates that were asked and have not answered yet. @type {WeakSet<object>} */
const asked = new WeakSet()

/**
 * Has the heap read, and gives the last reading.
 * @param {Isolate} isolate
 */
function heapOf(isolate) {
  const heap = heaps.get(isolate)
  const now = performance.now()
  if (heap === undefined || now - heap.at > FRESH) ask(isolate)
  if (heap === undefined) return null
  const { used, total, limit, at } = heap
  return { used, total, limit, age: now - at }
}

/** @param {Isolate} isolate */
function ask(isolate) {
  if (!isolate.ready || asked.has(isolate)) return
  asked.add(isolate)
  const { worker, port } = isolate
  // The engine interrupts the isolate for this, whatever the isolate is doing.
  const { getHeapStatistics } = /** @type {{ getHeapStatistics?: () => Promise<import('node:v8').HeapInfo> }} */ (
    worker
  )
  if (typeof getHeapStatistics === 'function') {
    getHeapStatistics.call(worker).then(
      ({ used_heap_size, total_heap_size, heap_size_limit }) =>
        told(isolate, used_heap_size, total_heap_size, heap_size_limit),
      // The isolate is ending.
      () => {}
    )
  } else port.postMessage([PORT_MESSAGE.HEAP])
}

/**
 * @param {Isolate} isolate
 * @param {number} used bytes
 * @param {number} total
 * @param {number} [limit]
 */
function told(isolate, used, total, limit) {
  const oldSpace = isolate.worker.resourceLimits?.maxOldGenerationSizeMb
  asked.delete(isolate)
  heaps.set(isolate, {
    used,
    total,
    limit: limit ?? (oldSpace === undefined ? null : oldSpace * 2 ** 20),
    at: performance.now()
  })
}

/** @param {Isolate} isolate */
function eventLoopOf({ worker }) {
  return worker.performance?.eventLoopUtilization() ?? null
}

/**
 * A task that runs.
 * @param {import('../../native/addon').RunningTask} task
 */
function taskOf([id, target, name, running]) {
  const task = name ?? nameOf(target)
  return { id, task, running }
}

/**
 * A worker of the statistics, with the readings of its isolate.
 * @param {import('../../native/addon').WorkerSnapshot} worker
 * @param {Isolate | undefined} isolate undefined in the native lane
 * @returns {import('../../../types/observation').WorkerStats}
 */
function withReadings(worker, isolate) {
  const { id, lane, state, running, tasks, completed, age, busyTime, cpuTime, ...rest } = worker
  return {
    id,
    lane,
    state,
    running,
    tasks: tasks.map(taskOf),
    completed,
    age,
    busyTime,
    ...rest,
    number: isolate?.number ?? null,
    threadId: isolate?.threadId ?? null,
    cpuTime,
    heap: isolate === undefined ? null : heapOf(isolate),
    eventLoopUtilization: isolate === undefined ? null : eventLoopOf(isolate)
  }
}

module.exports = { ask, told, taskOf, withReadings }
