'use strict'

// How results look: a table per case, what its numbers mean, and the targets with pass or miss.

const { interval, median, percentile } = require('./measure')

/**
 * @typedef {object} Row
 * @property {string} who
 * @property {number[]} samples
 * @property {string} [note]
 *
 * @typedef {object} Table
 * @property {string} unit what is measured, as a key of UNITS
 * @property {string} [caption]
 * @property {string} [against] the row with whose median the others are compared
 * @property {Row[]} rows
 *
 * @typedef {object} Target
 * @property {string} text
 * @property {number} figure
 * @property {string} unit
 * @property {boolean} pass
 * @property {[low: number, high: number]} [within] the interval in which the figure lies with a confidence of 90 %
 *
 * A table made of texts, of which the first line is the head.
 * @typedef {{ caption?: string, lines: string[][] }} Texts
 *
 * @typedef {{ tables: (Table | Texts)[], targets: Target[], details?: unknown }} Result
 */

/** @param {number} n @param {number} digits */
function fixed(n, digits) {
  return n.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

/** @param {number} n shown with three significant digits if below 1000 */
function short(n) {
  const size = Math.abs(n)
  return fixed(n, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}

/** @type {Record<string, { label: string, show: (n: number) => string }>} */
const UNITS = {
  rate: {
    label: 'tasks/s',
    show: (n) => (n >= 1e6 ? `${short(n / 1e6)} M` : n >= 1e3 ? `${short(n / 1e3)} k` : short(n))
  },
  ms: {
    label: 'time',
    show: (n) => (n < 0.001 ? `${short(n * 1e6)} ns` : n < 1 ? `${short(n * 1e3)} µs` : `${short(n)} ms`)
  },
  bytes: {
    label: 'memory',
    show: (n) =>
      Math.abs(n) >= 2 ** 20
        ? `${short(n / 2 ** 20)} MB`
        : Math.abs(n) >= 1024
          ? `${short(n / 1024)} kB`
          : `${short(n)} B`
  },
  throughput: { label: 'MB/s', show: (n) => short(n / 1e6) },
  count: { label: 'count', show: short },
  times: { label: 'ratio', show: (n) => `${short(n)}×` },
  share: { label: 'share', show: (n) => `${short(n * 100)} %` }
}

/**
 * @param {string} text the target, as it is stated
 * @param {number} figure
 * @param {{ atLeast?: number, atMost?: number }} limit
 * @param {string} [unit]
 * @returns {Target}
 */
function target(
  text,
  figure,
  { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY },
  unit = 'times'
) {
  return { text, figure, unit, pass: figure >= atLeast && figure <= atMost }
}

/**
 * As `target`, for the median of ratios. The target is missed only if the whole interval misses it.
 * @param {string} text
 * @param {number[]} ratios
 * @param {{ atLeast?: number, atMost?: number }} limit
 * @returns {Target}
 */
function targetOfRatios(text, ratios, { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }) {
  const within = interval(ratios)
  return { text, figure: median(ratios), unit: 'times', within, pass: within[1] >= atLeast && within[0] <= atMost }
}

/**
 * The rows of one table, from the samples that `alternate` gives.
 * @param {Map<string, any[]>} samples
 * @param {(sample: any) => number} [pick]
 * @returns {Row[]}
 */
function rowsOf(samples, pick = (sample) => sample) {
  return [...samples].map(([who, all]) => ({ who, samples: all.map(pick) }))
}

/** @param {string[][]} lines the first column is aligned to the left, the others to the right */
function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('   ')
      .trimEnd()
  )
}

/** @param {Table | Texts} table */
function tableLines(table) {
  if ('lines' in table) return [...(table.caption === undefined ? [] : [table.caption]), ...align(table.lines)]
  const { unit, caption, against, rows } = table
  const { label, show } = UNITS[unit]
  const base = rows.find(({ who }) => who === against)
  const head = ['', `${label}, median`, 'quartiles', ...(base === undefined ? [] : [`÷ ${against}`])]
  const lines = rows.map(({ who, samples }) => [
    who,
    show(median(samples)),
    `${show(percentile(samples, 0.25))} … ${show(percentile(samples, 0.75))}`,
    ...(base === undefined ? [] : [`${short(median(samples.map((value, i) => value / base.samples[i])))}×`])
  ])
  return [...(caption === undefined ? [] : [caption]), ...align([head, ...lines])]
}

/** @param {Target} target */
function targetLine({ text, figure, unit, pass, within }) {
  const { show } = UNITS[unit]
  const between = within === undefined ? '' : ` (${within.map(show).join('–')})`
  return `${pass ? 'pass' : 'MISS'}  ${text}: ${show(figure)}${between}`
}

/**
 * @param {{ title: string, what: string }} benchmark
 * @param {Result} result
 */
function print({ title, what }, { tables, targets }) {
  console.log(`\n## ${title}\n${what}`)
  for (const table of tables)
    console.log(
      `\n${tableLines(table)
        .map((line) => `  ${line}`)
        .join('\n')}`
    )
  if (targets.length > 0) console.log(`\n${targets.map((each) => `  ${targetLine(each)}`).join('\n')}`)
}

/** @param {{ title: string, result: Result }[]} done */
function printSummary(done) {
  const all = done.flatMap(({ title, result }) => result.targets.map((each) => ({ title, each })))
  if (all.length === 0) return
  console.log('\n## Targets')
  for (const { title, each } of all) console.log(`  ${targetLine(each)}  (${title})`)
  console.log(`\n${all.filter(({ each }) => each.pass).length} of ${all.length} targets met`)
}

module.exports = { UNITS, short, target, targetOfRatios, rowsOf, print, printSummary }
