'use strict'

// `pool.metrics()` and `metrics()`: pools as text for Prometheus. Counters and histograms never go down.

const { Text, seconds } = require('./prometheus')

/** @typedef {import('./prometheus').Sample} Sample */
/** @typedef {import('../../native/addon').Measures} Measures */
/** @typedef {import('../readings').Stats} Stats */
/** @typedef {Stats['workers'][number]} Worker */
/** @typedef {{ labels: { pool: string, id: number }, options: Readable['options'], stats: Stats, measures: Measures }} Reading */
/** @template T @typedef {(from: T) => number | undefined} Pick */

/**
 * The part of a pool that is read.
 * @typedef {object} Readable
 * @property {number} id
 * @property {import('../options/pool-options').ResolvedOptions} options
 * @property {() => Stats} stats
 * @property {() => Measures} measures
 */

/**
 * @param {Readable[]} pools
 * @returns {string}
 */
function metricsOf(pools) {
  const text = new Text()
  const readings = pools.map(({ id, options, stats, measures }) => ({
    labels: { pool: options.label, id },
    options,
    stats: stats(),
    measures: measures()
  }))
  const each = (/** @type {Pick<Reading>} */ pick) =>
    readings.map((reading) => /** @type {Sample} */ ([reading.labels, pick(reading)]))
  const workers = (/** @type {Pick<Worker>} */ pick) =>
    readings.flatMap(({ labels, stats }) =>
      stats.workers.map(
        (worker) => /** @type {Sample} */ ([{ ...labels, lane: worker.lane, worker: worker.id }, pick(worker)])
      )
    )

  text.add(
    'rspool_tasks_total',
    'counter',
    'Calls by how they have ended.',
    readings.flatMap(({ labels, stats }) =>
      Object.entries({ completed: stats.completed, ...stats.outcomes }).map(
        ([outcome, count]) => /** @type {Sample} */ ([{ ...labels, outcome }, count])
      )
    )
  )
  for (const [name, help, key] of /** @type {const} */ ([
    ['rspool_tasks_queued', 'Tasks that wait.', 'queued'],
    ['rspool_tasks_running', 'Tasks that run.', 'running'],
    ['rspool_queued_bytes', 'Bytes of the inputs that wait.', 'queuedBytes'],
    ['rspool_utilization_ratio', 'Share of the time allowed to the workers in which tasks ran.', 'utilization']
  ]))
    text.add(
      name,
      'gauge',
      help,
      each(({ stats }) => stats[key])
    )
  for (const [name, help, key] of /** @type {const} */ ([
    ['rspool_oldest_queued_seconds', 'How long the task has waited that has waited for longest.', 'oldestQueued'],
    ['rspool_oldest_running_seconds', 'How long the task has run that has run for longest.', 'oldestRunning']
  ]))
    text.add(
      name,
      'gauge',
      help,
      each(({ stats }) => seconds(stats[key] ?? 0))
    )
  text.add(
    'rspool_threads_max',
    'gauge',
    'Workers that may be busy at a time.',
    each(({ options }) => options.maxThreads)
  )
  text.add('rspool_workers', 'gauge', 'Workers by lane and state.', readings.flatMap(workersByState))
  for (const [name, help, which] of /** @type {[string, string, 0 | 1][]} */ ([
    ['rspool_task_wait_seconds', 'From the call of a task to its start.', 0],
    ['rspool_task_run_seconds', 'From the start of a task to its end.', 1]
  ])) {
    text.add(
      name,
      'histogram',
      help,
      readings.flatMap(({ labels, measures: [bounds, rows] }) =>
        rows.flatMap(([task, ...times]) => buckets({ ...labels, task }, bounds, times[which]))
      )
    )
  }

  for (const [name, help, pick] of /** @type {[string, string, Pick<Worker>][]} */ ([
    ['rspool_worker_tasks', 'Tasks that the worker has ended.', ({ completed }) => completed],
    ['rspool_worker_age_seconds', 'Time since the worker was started.', ({ age }) => seconds(age)],
    ['rspool_worker_cpu_seconds', 'CPU time of its thread.', ({ cpuTime }) => seconds(cpuTime ?? undefined)],
    ['rspool_worker_heap_used_bytes', 'JavaScript heap in use.', ({ heap }) => heap?.used],
    ['rspool_worker_heap_total_bytes', 'JavaScript heap that is reserved.', ({ heap }) => heap?.total],
    ['rspool_worker_heap_limit_bytes', 'What the JavaScript heap may grow to.', ({ heap }) => heap?.limit],
    [
      'rspool_worker_event_loop_utilization_ratio',
      'Share of its life in which the event loop was busy.',
      ({ eventLoopUtilization }) => eventLoopUtilization?.utilization
    ]
  ]))
    text.add(name, 'gauge', help, workers(pick))
  return String(text)
}

/**
 * @param {Reading} reading
 * @returns {Sample[]}
 */
function workersByState({ labels, stats }) {
  return ['native', 'script'].flatMap((lane) =>
    ['starting', 'busy', 'idle', 'unresponsive'].map((state) => {
      const count = stats.workers.filter((each) => each.lane === lane && each.state === state).length
      return /** @type {Sample} */ ([{ ...labels, lane, state }, count])
    })
  )
}

/**
 * @param {Record<string, unknown>} labels
 * @param {number[]} bounds
 * @param {import('../../native/addon').Times} times
 * @returns {Sample[]}
 */
function buckets(labels, bounds, [counts, sum]) {
  let below = 0
  const samples = counts.map((count, i) => {
    below += count
    return /** @type {Sample} */ ([{ ...labels, le: bounds[i] ?? '+Inf' }, below, '_bucket'])
  })
  return [...samples, [labels, sum, '_sum'], [labels, below, '_count']]
}

module.exports = { metricsOf }
