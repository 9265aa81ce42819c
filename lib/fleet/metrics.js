'use strict'

// The fleet as text for Prometheus.

const { Text } = require('../pool/observe/prometheus')

/**
 * @param {string} name
 * @param {import('./types').Counts & { pending: number }} counts
 * @param {import('./work').Work[]} works of this process
 * @param {number} targetWait milliseconds in which all waiting tasks shall be done
 */
async function textOf(name, counts, works, targetWait) {
  const sums = {
    started: 0,
    redelivered: 0,
    quarantined: 0,
    finished: 0,
    busyMs: 0,
    capacity: 0,
    leasesOver: 0,
    locksLost: 0,
    errors: 0
  }
  for (const stats of await Promise.all(works.map((work) => work.stats())))
    for (const key of /** @type {(keyof typeof sums)[]} */ (Object.keys(sums))) sums[key] += stats[key]
  /** @type {[string, 'gauge' | 'counter', string, number][]} */
  const rows = [
    ['waiting', 'gauge', 'Tasks that wait for a worker', counts.waiting],
    ['delayed', 'gauge', 'Tasks that wait for their time', counts.delayed],
    ['running', 'gauge', 'Tasks that workers have', counts.running],
    ['oldest_seconds', 'gauge', 'How long the oldest waiting task has waited', counts.oldest / 1000],
    ['capacity', 'gauge', 'Tasks that workers of this process can run at once', sums.capacity],
    ['pending_calls', 'gauge', 'Calls of this process that wait for their task', counts.pending],
    ['started_total', 'counter', 'Tasks that workers of this process have started', sums.started],
    ['redelivered_total', 'counter', 'Of those, the ones that a lost worker had started before', sums.redelivered],
    ['quarantined_total', 'counter', 'Of those, the ones that ran in a process of their own', sums.quarantined],
    [
      'lease_lost_total',
      'counter',
      'Tasks that were ended since their lock was lost',
      sums.leasesOver + sums.locksLost
    ],
    ['engine_errors_total', 'counter', 'Errors of the engine that workers of this process met', sums.errors]
  ]
  // A worker that has run no task yet does not know how long tasks take.
  if (sums.finished > 0) {
    const work = (counts.waiting + counts.running) * (sums.busyMs / sums.finished)
    const wanted = Math.ceil(work / targetWait / (sums.capacity / works.length))
    rows.push(['wanted_workers', 'gauge', 'Workers like this one that what waits and runs would keep busy', wanted])
  }
  const text = new Text()
  for (const [row, type, help, value] of rows) text.add(`rspool_fleet_${row}`, type, help, [[{ fleet: name }, value]])
  return String(text)
}

module.exports = { textOf }
