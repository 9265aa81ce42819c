'use strict'

// What the demo prints at its end: a table, the event loop over time, the load of each worker.

const { stripVTControlCharacters } = require('node:util')

/** @typedef {import('./batch').Run} Run */
/** @typedef {ReturnType<typeof import('picocolors').createColors>} Colors */

/** @param {number} value @param {number} [digits] significant ones */
function round(value, digits = 3) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(value + 1))) })
}

/** @param {number} ms */
function duration(ms) {
  if (ms >= 1000) return `${round(ms / 1000)} s`
  return ms >= 0.01 ? `${round(ms)} ms` : `${round(ms * 1000)} µs`
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${round(bytes / 1e6)} MB`
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`
}

/** Columns after the first are aligned to the right. @param {string[][]} rows */
function table(rows) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => stripVTControlCharacters(row[column]).length))
  )
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const fill = ' '.repeat(widths[column] - stripVTControlCharacters(cell).length)
        return column === 0 ? cell + fill : fill + cell
      })
      .join('   ')
      .trimEnd()
  )
}

const levels = '▁▂▃▄▅▆▇█'

/**
 * One character an equal span of time: the longest wait in it.
 * @param {[number, number][]} samples
 * @param {number} span milliseconds
 * @param {number} top the wait that fills a character
 */
function sparkline(samples, span, top) {
  /** @type {number[]} */
  const worst = new Array(Math.max(Math.ceil((samples.at(-1)?.[0] ?? 0) / span), 1)).fill(0)
  for (const [at, late] of samples) {
    // A wait ends when it is seen: it fills the time before.
    for (let i = Math.floor(Math.max(at - late, 0) / span); i <= Math.floor(at / span); i++) {
      if (i < worst.length) worst[i] = Math.max(worst[i], late)
    }
  }
  return worst.map((late) => levels[Math.min(Math.floor((late / top) * levels.length), levels.length - 1)]).join('')
}

/** @param {number} share @param {number} width */
function bar(share, width) {
  const full = Math.round(Math.min(share, 1) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** The most frequent words over all files. @param {Run} run */
function topWords({ results }) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const { analysis } of results) {
    for (const [word, count] of analysis?.top ?? []) counts.set(word, (counts.get(word) ?? 0) + count)
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6)
}

/**
 * @param {{ bytes: number, threads: number, pooled: Run & { stats: any }, main: Run, different: string[] }} outcome
 * @param {{ colors: Colors, columns: number }} look
 */
function report({ bytes, threads, pooled, main, different }, { colors, columns }) {
  const { bold, cyan, dim, green, red, yellow } = colors
  const width = Math.max(Math.min(columns - 30, 70), 20)
  const wait = (/** @type {number} */ ms) => (ms < 20 ? green : ms < 100 ? yellow : red)(duration(ms))
  const each = (/** @type {string} */ title, /** @type {(run: Run) => string} */ cell) => [
    title,
    cell(pooled),
    cell(main)
  ]
  const lines = table([
    ['', bold('through the pool'), bold('on the main thread')],
    each('time', ({ time }) => bold(duration(time))),
    each('speed-up', ({ time }) => `${(main.time / time).toFixed(2)}×`),
    each('tasks', ({ tasks }) => round(tasks)),
    each('tasks a second', ({ tasks, time }) => round(tasks / (time / 1000))),
    each('input a second', ({ time }) => megabytes(bytes / (time / 1000))),
    each('event-loop delay, p50', ({ delay }) => wait(delay.p50)),
    each('event-loop delay, p99', ({ delay }) => wait(delay.p99)),
    each('event-loop delay, max', ({ delay }) => wait(delay.max)),
    each('event loop busy', ({ delay }) => percent(delay.busy))
  ])

  const span = Math.max(pooled.time, main.time) / width
  const top = Math.max(pooled.delay.max, main.delay.max)
  lines.push('', bold(`Event-loop delay over time`) + dim(`  (█ is ${duration(top)}, one character ${duration(span)})`))
  lines.push(`  through the pool    ${green(sparkline(pooled.delay.samples, span, top))}`)
  lines.push(`  on the main thread  ${red(sparkline(main.delay.samples, span, top))}`)

  lines.push('', bold('Load of each worker') + dim(`  (share of the time; at most ${threads} at once)`))
  const { workers } = pooled.stats
  lines.push(
    ...table(
      workers.map((/** @type {any} */ { lane, id, busyTime, completed }) => [
        `  ${lane} ${id}`,
        cyan(bar(busyTime / pooled.time, Math.min(width, 40))),
        percent(busyTime / pooled.time),
        `${round(completed)} tasks`
      ])
    )
  )

  const sum = (/** @type {(analysis: import('./analyse').Analysis) => number} */ of) =>
    pooled.results.reduce((all, { analysis }) => all + (analysis === undefined ? 0 : of(analysis)), 0)
  const packed = pooled.results.reduce((all, { compressed }) => all + compressed.length, 0)
  lines.push('', bold('Results'))
  lines.push(`  gzip: ${megabytes(bytes)} to ${megabytes(packed)}`)
  lines.push(`  text: ${round(sum((a) => a.lines))} lines, ${round(sum((a) => a.words))} words; most often `)
  lines[lines.length - 1] += topWords(pooled)
    .map(([word]) => word)
    .join(', ')
  lines.push(
    different.length === 0
      ? `  ${green('The same both ways')}: every hash and analysis, and every gzip file unpacks to its input.`
      : `  ${red('NOT THE SAME both ways')}: ${different.join(', ')}`
  )
  return lines.join('\n')
}

/** The same, for programs. @param {Parameters<typeof report>[0]} outcome */
function json({ bytes, pooled, main, different }) {
  const numbers = (/** @type {Run} */ { time, tasks, delay: { p50, p99, max, busy } }) => ({
    time,
    tasks,
    tasksPerSecond: tasks / (time / 1000),
    eventLoop: { p50, p99, max, busy }
  })
  return {
    files: pooled.results.length,
    bytes,
    speedUp: main.time / pooled.time,
    pool: { ...numbers(pooled), workers: pooled.stats.workers },
    mainThread: numbers(main),
    different
  }
}

module.exports = { report, json, duration, megabytes, round }
