'use strict'

// The cluster's state as Prometheus text (exposition format 0.0.4). It is read from the region and the
// system, without asking any process. Counters never go down.

const http = require('node:http')
const { Text, seconds } = require('../pool/observe/prometheus')
const { planFamilies } = require('./families')

/** The content type of the exposition format. Probes accept it, too. */
const TEXT = 'text/plain; version=0.0.4; charset=utf-8'

/** @typedef {import('../../types/cluster').ClusterStatus} ClusterStatus */
/** @typedef {Partial<Omit<import('../../types/cluster').ProcessStatus, 'state'>> & { state: string }} Process */
/** @typedef {import('../pool/observe/prometheus').Sample} Sample */

const PROCESS = /** @type {const} */ ([
  ['rspool_process_resident_bytes', 'Resident memory.', 'rss'],
  ['rspool_process_heap_used_bytes', 'JavaScript heap in use.', 'heapUsed'],
  ['rspool_process_external_bytes', 'Memory of JavaScript objects outside of the heap.', 'external'],
  ['rspool_process_open_descriptors', 'Open file descriptors.', 'fds'],
  ['rspool_process_max_descriptors', 'Limit of open file descriptors.', 'fdLimit'],
  ['rspool_process_threads', 'Threads.', 'threads'],
  ['rspool_process_event_loop_utilization', 'Share of the time in which the event loop was busy.', 'utilization'],
  ['rspool_process_connections', 'Open connections.', 'connections'],
  ['rspool_process_requests_in_flight', 'Requests that are not answered in full.', 'inFlight'],
  ['rspool_process_cpu_cores', 'Cores in use.', 'cpu']
])

/**
 * @param {object} parts
 * @param {{ size: number, ready: number, budget: ClusterStatus['budget'], spares: { state: string }[], processes: Process[] }} parts.status as `supervisor.status()` gives it
 * @param {import('./region').RegionWords} parts.region
 * @param {(row: number) => string|number} parts.owner the owner of a row of cells
 * @param {import('./counters').ClusterCounters} parts.counters
 * @param {import('./gauges').SharedGauges} parts.gauges
 * @param {import('./gauges').SharedHistograms} parts.histograms
 */
function readMetrics({ status, region, owner, counters, gauges, histograms }) {
  const text = new Text()
  const { processes } = status
  const rows = Array.from({ length: region.rowsUsed }, (_, row) => ({
    row,
    labels: { slot: owner(row) }
  }))
  const each = (/** @type {(process: Process) => number|undefined} */ pick) =>
    processes.map((process) => /** @type {Sample} */ ([{ slot: process.slot }, pick(process)]))

  text.add('rspool_cluster_size', 'gauge', 'Slots.', [[{}, status.size]])
  text.add('rspool_cluster_ready', 'gauge', 'Slots whose process is ready.', [[{}, status.ready]])
  text.add('rspool_cluster_spares', 'gauge', 'Spare processes that are ready to take a slot.', [
    [{}, status.spares.filter(({ state }) => state === 'ready').length]
  ])
  text.add('rspool_cluster_budget_tokens', 'gauge', 'Tokens of the CPU budget.', [[{}, status.budget.tokens]])
  text.add('rspool_cluster_budget_free', 'gauge', 'Tokens that no process holds.', [[{}, status.budget.free]])
  text.add(
    'rspool_slot_state',
    'gauge',
    '1 for the state that the slot is in.',
    processes.map(({ slot, state }) => [{ slot, state }, 1])
  )
  text.add(
    'rspool_slot_restarts_total',
    'counter',
    'Processes that were started after one had died.',
    each(({ restarts }) => restarts)
  )
  text.add(
    'rspool_slot_generation',
    'gauge',
    'Processes that the slot has had.',
    each(({ generation }) => generation)
  )
  for (const [name, help, key] of PROCESS)
    text.add(
      name,
      'gauge',
      help,
      each((process) => process[key])
    )
  text.add(
    'rspool_process_uptime_seconds',
    'gauge',
    'Time since the process was started.',
    each(({ uptimeMs }) => seconds(uptimeMs))
  )
  text.add(
    'rspool_process_event_loop_delay_seconds',
    'gauge',
    'How late the last turn of the event loop was.',
    each(({ loopDelayMs }) => seconds(loopDelayMs))
  )
  text.add(
    'rspool_process_beat_age_seconds',
    'gauge',
    'Time since the event loop last turned.',
    each(({ beatAgeMs }) => seconds(beatAgeMs))
  )
  text.add(
    'rspool_process_oldest_request_seconds',
    'gauge',
    'For how long the oldest request has been open; 0 when there is none.',
    each(({ pid, oldestRequest }) => (pid === undefined ? undefined : seconds(oldestRequest?.ageMs ?? 0)))
  )
  text.add(
    'rspool_process_pool_queued',
    'gauge',
    'Tasks that wait in pools.',
    each(({ pool }) => pool?.queued)
  )
  text.add(
    'rspool_process_pool_running',
    'gauge',
    'Tasks that run in pools.',
    each(({ pool }) => pool?.running)
  )

  for (const [name, help] of /** @type {const} */ ([
    ['requests', 'HTTP requests begun.'],
    ['errors', 'HTTP responses with a status of 500 or more.'],
    ['relayed', 'HTTP requests and upgrades that were relayed to the process that has their session.']
  ])) {
    text.add(
      `rspool_http_${name}_total`,
      'counter',
      help,
      rows.slice(1).map(({ row, labels }) => [labels, region.ownOf(row, name)])
    )
  }
  const family = planFamilies({ counter: counters.names, gauge: gauges.names, histogram: histograms.names }, text.names)
  const totals = rows.map(({ row, labels }) => ({ labels, counted: counters.snapshotOf(row) }))
  for (const name of counters.names) {
    text.add(
      family('counter', name),
      'counter',
      `The counter ${name}.`,
      // A share that was reduced below zero counts as 0: a counter of Prometheus must not be negative.
      totals.map(({ labels, counted }) => [labels, Math.max(0, counted[name])])
    )
  }
  for (const name of gauges.names) {
    text.add(
      family('gauge', name),
      'gauge',
      `The gauge ${name}.`,
      rows.map(({ row, labels }) => [labels, gauges.getOf(row, name)])
    )
  }
  for (const name of histograms.names) {
    text.add(
      family('histogram', name),
      'histogram',
      `The histogram ${name}.`,
      rows.flatMap(({ row, labels }) => {
        const { bounds, buckets, sum, count } = histograms.get(name, row)
        let below = 0
        return [
          ...buckets.map(
            (inside, at) =>
              /** @type {[Record<string, unknown>, number, string]} */ ([
                { ...labels, le: bounds[at] ?? '+Inf' },
                (below += inside),
                '_bucket'
              ])
          ),
          [labels, sum, '_sum'],
          [labels, count, '_count']
        ]
      })
    )
  }
  return text
}

/**
 * @param {{ port: number, host: string }} where
 * @param {object} host
 * @param {() => string} host.metrics
 * @param {() => boolean} host.ready whether a request would be answered now
 * @param {() => boolean} host.alive whether there is hope that one will be
 * @param {(line: string) => void} host.log
 */
function serveMetrics({ port, host }, { metrics, ready, alive, log }) {
  const text = (/** @type {string} */ body, status = 200) => ({ status, body, type: TEXT })
  const probe = (/** @type {string} */ name, /** @type {boolean} */ is) =>
    is ? text(`${name}\n`) : text(`not ${name}\n`, 503)
  const pages = new Map([
    ['/ready', () => probe('ready', ready())],
    ['/live', () => probe('live', alive())],
    ['/metrics', () => text(metrics())]
  ])
  const server = http.createServer(({ method, url }, response) => {
    const page = method === 'GET' || method === 'HEAD' ? pages.get(url?.split('?')[0] ?? '') : undefined
    const { status, body, type } = page?.() ?? text('', 404)
    response.writeHead(status, { 'content-type': type })
    // Node.js sends no body for HEAD.
    response.end(body)
  })
  server.on('error', (error) => log(`metrics: ${error.message}`))
  server.listen(port, host)
  server.unref()
  return server
}

module.exports = { readMetrics, serveMetrics }
