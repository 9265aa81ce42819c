'use strict'

// A cluster as lines of text, which `status` prints once and `top` every second.

const { paint, paintState, table, bytes, time, percent, number, widthOf } = require('./output')
const { asked } = require('./view')

/** @typedef {import('./view').ClusterView} ClusterView */
/** @typedef {ClusterView['processes'][number]} Row */

/** The orders for the rows of `top`, by key. */
const ORDERS = /** @type {const} */ ({
  s: 'slot',
  c: 'cpu',
  m: 'rss',
  l: 'loopDelayMs',
  r: 'requestsPerSecond',
  a: 'beatAgeMs',
  f: 'inFlight'
})

/**
 * @param {Row[]} rows
 * @param {typeof ORDERS[keyof typeof ORDERS]} order slots in rising order, everything else from the largest
 */
function sorted(rows, order) {
  const value = (/** @type {Row} */ row) => row[order] ?? -1
  return [...rows].sort((a, b) => (order === 'slot' ? a.slot - b.slot : value(b) - value(a) || a.slot - b.slot))
}

/**
 * @param {ClusterView} view
 * @param {object} [how]
 * @param {typeof ORDERS[keyof typeof ORDERS]} [how.order]
 * @param {number} [how.width] of the terminal
 * @param {boolean} [how.rates] whether there was a look before this one
 * @param {number} [how.chosen] the slot that is marked
 * @returns {string[]}
 */
function frame(view, { order = 'slot', width = Infinity, rates = false, chosen } = {}) {
  const rows = sorted(view.processes, order)
  const fit = (/** @type {string} */ line) => (widthOf(line) <= width ? line : cut(line, width))
  return [
    ...head(view, rates),
    '',
    ...lines(rows, rates, chosen),
    ...requests(rows),
    ...causes(rows),
    ...counters(view)
  ].map(fit)
}

/** @param {ClusterView} view @param {boolean} rates */
function head(view, rates) {
  const { pid, file, state, ready, size, uptimeMs, version, node, primary, budget, processes, spares } = view
  const total = (/** @type {(row: Row) => number|undefined} */ pick) =>
    processes.reduce((sum, row) => sum + (pick(row) ?? 0), 0)
  const parts = [
    `${paintState(state)} ${ready}/${size}`,
    ...(rates
      ? [
          `${number(total(({ requestsPerSecond }) => requestsPerSecond))} requests/s`,
          `CPU ${percent(total(({ cpu }) => cpu))}`
        ]
      : []),
    `memory ${bytes(total(({ rss }) => rss))}`,
    `CPU budget ${budget.tokens - budget.free}/${budget.tokens} in use`,
    ...(spares.length > 0 ? [`${spares.length} spare`] : [])
  ]
  const hangs = !primary.alive
    ? paint('red', '  the primary is gone')
    : primary.responsive
      ? ''
      : paint('red', `  the primary hangs: silent for ${time(primary.beatAgeMs)}`)
  return [
    `${paint('bold', file)}  primary ${pid}, up ${time(uptimeMs)}, rspool ${version}, Node.js ${node}${hangs}`,
    parts.join('   ')
  ]
}

/** @param {Row[]} rows @param {boolean} rates @param {number} [chosen] */
function lines(rows, rates, chosen) {
  const heads = [
    '>SLOT',
    '>PID',
    'STATE',
    '>BEAT',
    '>UP',
    '>CPU',
    '>MEMORY',
    '>HEAP',
    '>DELAY',
    '>REQ/S',
    '>FLIGHT',
    '>CONN',
    '>QUEUE',
    '>RUN',
    '>5XX',
    '>DIED'
  ]
  const cells = rows.map((row) => [
    row.slot === chosen ? paint('inverse', ` ${row.slot}`) : String(row.slot),
    String(row.pid ?? '-'),
    paintState(row.state) + (row.draining.length > 0 ? paint('dim', ` +${row.draining.length} draining`) : ''),
    (row.beatAgeMs ?? 0) > 1000 ? paint('red', time(row.beatAgeMs)) : time(row.beatAgeMs),
    time(row.uptimeMs),
    percent(row.cpu),
    bytes(row.rss),
    bytes(row.heapUsed),
    (row.loopDelayMs ?? 0) > 100 ? paint('yellow', time(row.loopDelayMs)) : time(row.loopDelayMs),
    number(row.requestsPerSecond),
    number(row.inFlight),
    number(row.connections),
    number(row.pool?.queued),
    number(row.pool?.running),
    row.errors ? paint('red', String(row.errors)) : number(row.errors),
    row.restarts > 0 ? paint('yellow', String(row.restarts)) : '0'
  ])
  // Without a look before there are no rates.
  const shown = heads.map((_, column) => rates || (heads[column] !== '>CPU' && heads[column] !== '>REQ/S'))
  const pick = (/** @type {string[]} */ line) => line.filter((_, column) => shown[column])
  return table(pick(heads), cells.map(pick)).split('\n')
}

/** The oldest request of each, the oldest of all first. @param {Row[]} rows */
function requests(rows) {
  const found = rows.flatMap(({ slot, oldestRequest, lastRequest }) => [
    ...(oldestRequest === undefined ? [] : [{ slot, what: 'oldest', ...oldestRequest }]),
    ...(lastRequest === undefined || lastRequest.ageMs === oldestRequest?.ageMs
      ? []
      : [{ slot, what: 'last', ...lastRequest }])
  ])
  if (found.length === 0) return []
  found.sort((a, b) => b.ageMs - a.ageMs)
  const cells = found
    .slice(0, 8)
    .map(({ slot, what, ...request }) => [String(slot), what, time(request.ageMs), printable(asked(request))])
  return ['', ...table(['>SLOT', 'REQUEST', '>SINCE', 'WHAT'], cells).split('\n')]
}

/** The latest causes of death. @param {Row[]} rows */
function causes(rows) {
  const died = rows.filter(({ lastCause }) => lastCause !== '')
  if (died.length === 0) return []
  return [
    '',
    ...died.map(({ slot, lastCause }) => `slot ${slot}: the last to die ${printable(lastCause.split('\n')[0])}`)
  ]
}

/** @param {ClusterView} view */
function counters({ counters }) {
  const all = Object.entries(counters).map(([name, value]) => `${name} ${value}`)
  return all.length === 0 ? [] : ['', `${paint('dim', 'counters')}  ${all.join('   ')}`]
}

/** Replaces control characters: text from the network must not control the terminal. @param {string} text */
const printable = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')

/** @param {string} line @param {number} width */
function cut(line, width) {
  let left = width
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of colours begin with one.
  const parts = line.split(/(\u001b\[[0-9;]*m)/)
  return parts
    .map((part, at) => {
      if (at % 2 === 1) return part
      const kept = part.slice(0, Math.max(0, left))
      left -= kept.length
      return kept
    })
    .join('')
}

module.exports = { frame, ORDERS, printable }
