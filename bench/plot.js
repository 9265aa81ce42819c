'use strict'

// node bench/plot.js <results.json>: puts results of `npm run bench -- --json` into the docs. The case `end-to-end` becomes
// docs/end-to-end.svg and docs/end-to-end-dark.svg, with a dot per round. The cases `number-echo`, `object-echo` and
// `one-at-a-time` together become docs/calls.svg and docs/calls-dark.svg. The case `values` becomes the table of
// docs/performance.md.

const fs = require('node:fs')
const path = require('node:path')
const { median } = require('./lib/measure')
const { UNITS } = require('./lib/report')

/** @typedef {import('./cases/end-to-end').Sample} Sample */
/** @typedef {{ text: string, faint: string, grid: string, own: string, peer: string }} Colours */

/** @typedef {{ title: string, show: (n: number) => string, logarithmic: boolean, rows: [name: string, samples: number[]][] }} Panel */

/** The colours of each theme, by the ending of a picture's name. @type {Record<string, Colours>} */
const THEMES = {
  '': { text: '#1f2328', faint: '#59636e', grid: '#d1d9e0', own: '#0969da', peer: '#8c959f' },
  '-dark': { text: '#f0f6fc', faint: '#9198a1', grid: '#3d444d', own: '#4493f8', peer: '#8b949e' }
}
const WIDTH = 860
const LABELS = 130
const TOP = 74
const ROW = 30
const GAP = 40
const FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'

/** Steps of 1, 2 and 5 between two numbers. @param {number} low @param {number} high */
function steps(low, high) {
  const all = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of [1, 2, 5]) all.push(factor * 10 ** power)
  return all.filter((step) => step >= low && step <= high)
}

/**
 * Where values are in a panel, and which values are written beneath it.
 * @param {number[]} values
 * @param {boolean} logarithmic
 * @param {number} left
 * @param {number} width
 */
function axis(values, logarithmic, left, width) {
  if (logarithmic) {
    const [low, high] = [Math.min(...values) / 1.3, Math.max(...values) * 1.3]
    const place = (/** @type {number} */ n) => left + (width * Math.log(n / low)) / Math.log(high / low)
    const ticks = steps(low, high)
    // Only powers of ten, if more ticks would run into each other.
    return { place, ticks: high / low < 20 ? ticks : ticks.filter((tick) => Number.isInteger(Math.log10(tick))) }
  }
  const high = Math.max(...values) * 1.1
  const size = steps(high / 50, high / 3).at(-1) ?? high
  const ticks = Array.from({ length: Math.floor(high / size) + 1 }, (_, i) => i * size)
  return { place: (/** @type {number} */ n) => left + (width * n) / high, ticks }
}

/**
 * Draws panels with the same rows side by side. Every sample is a dot, and the median is a bar.
 * @param {string} title
 * @param {Panel[]} panels
 * @param {string} caption
 * @param {Colours} colours
 */
function draw(title, panels, caption, { text, faint, grid, own, peer }) {
  const names = panels[0].rows.map(([name]) => name)
  const height = TOP + names.length * ROW + 34
  const width = (WIDTH - LABELS - panels.length * GAP) / panels.length
  const write = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ colour,
    /** @type {string} */ more,
    /** @type {string} */ words
  ) => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${colour}" ${FONT} ${more}>${words}</text>`
  const parts = [
    write(0, 18, text, 'font-size="16" font-weight="600"', title),
    write(0, 36, faint, 'font-size="12"', caption)
  ]
  const rowAt = (/** @type {number} */ i) => TOP + (i + 0.5) * ROW
  for (const [i, name] of names.entries()) {
    const more = `font-size="13" ${name.startsWith('rspool') ? 'font-weight="600"' : ''}`
    parts.push(write(0, rowAt(i) + 4, text, more, name.replace(', nice', ', niced')))
  }
  for (const [panel, { title: heading, show, logarithmic, rows }] of panels.entries()) {
    const left = LABELS + panel * (width + GAP)
    const { place, ticks } = axis(
      rows.flatMap(([, samples]) => samples),
      logarithmic,
      left,
      width
    )
    parts.push(write(left, TOP - 12, text, 'font-size="12" font-weight="600"', heading))
    for (const tick of ticks) {
      const x = place(tick).toFixed(1)
      parts.push(`<line x1="${x}" x2="${x}" y1="${TOP}" y2="${height - 30}" stroke="${grid}"/>`)
      parts.push(write(place(tick), height - 14, faint, 'font-size="11" text-anchor="middle"', short(show(tick))))
    }
    for (const [i, [name, samples]] of rows.entries()) {
      const colour = name.startsWith('rspool') ? own : peer
      const middle = place(median(samples)).toFixed(1)
      for (const sample of samples) {
        const x = place(sample).toFixed(1)
        parts.push(`<circle cx="${x}" cy="${rowAt(i)}" r="4" fill="${colour}" fill-opacity="0.45"/>`)
      }
      const [from, to] = [rowAt(i) - 9, rowAt(i) + 9]
      parts.push(`<line x1="${middle}" x2="${middle}" y1="${from}" y2="${to}" stroke="${colour}" stroke-width="3"/>`)
    }
  }
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${title}">\n<title>${title}</title>\n${parts.join('\n')}\n</svg>\n`
}

/** Removes the zeros after the decimal point. @param {string} words */
function short(words) {
  return words.replace(/\.0+(?=\D|$)/, '').replace('1,000 ms', '1 s')
}

/**
 * @param {{ name: string, limit: number, results: { own: number[], peer: number[], ratio: number, low: number, high: number }[] }[]} values
 * @param {string} where
 */
function writeTable(values, where) {
  const time = (/** @type {number[]} */ samples) => UNITS.ms.show(median(samples))
  const rows = values.map(({ name, results }) => [
    name,
    ...results.flatMap(({ own, peer, ratio, low, high }) => [
      time(own),
      time(peer),
      `**${ratio.toFixed(2)}** (${low.toFixed(2)}–${high.toFixed(2)})`
    ])
  ])
  const head = [
    ['', '1 in flight', 'piscina', 'ratio', '16 in flight', 'piscina', 'ratio'],
    ['---', ...Array(6).fill('---:')]
  ]
  const table = [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  const rounds = values[0].results[0].own.length
  const page = path.join(__dirname, '..', 'docs', 'performance.md')
  const caption = `Medians of ${rounds} rounds on two workers; ${where}.`
  const text = fs.readFileSync(page, 'utf8')
  const filled = text.replace(
    /(<!-- values:begin -->\n)[\s\S]*(<!-- values:end -->)/,
    (_, begin, end) => `${begin}${table}\n\n${caption}\n${end}`
  )
  fs.writeFileSync(page, filled)
  console.log('docs/performance.md')
}

/**
 * The panels of a case with servers.
 * @param {Record<string, Sample[]>} kinds
 * @returns {Panel[]}
 */
function serverPanels(kinds) {
  const rows = (/** @type {'p99' | 'rate'} */ key) =>
    Object.entries(kinds).map(([name, samples]) => /** @type {Panel['rows'][0]} */ ([name, samples.map((s) => s[key])]))
  return [
    {
      title: 'light route, p99 (log scale, lower is better)',
      show: UNITS.ms.show,
      logarithmic: true,
      rows: rows('p99')
    },
    {
      title: 'heavy requests per second (higher is better)',
      show: UNITS.count.show,
      logarithmic: false,
      rows: rows('rate')
    }
  ]
}

/**
 * A panel for the first table of a case.
 * @param {string} title
 * @param {{ tables: import('./lib/report').Table[] }} result
 * @returns {Panel}
 */
function tablePanel(title, { tables: [{ unit, rows }] }) {
  return {
    title,
    show: UNITS[unit].show,
    logarithmic: true,
    rows: rows.map(({ who, samples }) => [who, samples])
  }
}

/**
 * Draws a picture for each theme.
 * @param {string} name
 * @param {string} title
 * @param {Panel[]} panels
 * @param {string} where
 */
function drawAll(name, title, panels, where) {
  const rounds = panels[0].rows[0][1].length
  const caption = `Each dot is one of ${rounds} rounds in which all took turns, the bar their median. ${where}.`
  for (const [theme, colours] of Object.entries(THEMES)) {
    fs.writeFileSync(path.join(__dirname, '..', 'docs', `${name}${theme}.svg`), draw(title, panels, caption, colours))
    console.log(`docs/${name}${theme}.svg`)
  }
}

function main() {
  const [, , file] = process.argv
  if (file === undefined) throw new Error('Usage: node bench/plot.js <results.json>')
  const { node, machine, cases } = JSON.parse(fs.readFileSync(file, 'utf8'))
  const where = `Node.js ${node}, ${machine}`
  const resultOf = (/** @type {string} */ wanted) =>
    cases.find((/** @type {{ name: string }} */ { name }) => name === wanted)?.result
  const [server, values, numbers, objects, single] = [
    'end-to-end',
    'values',
    'number-echo',
    'object-echo',
    'one-at-a-time'
  ].map(resultOf)
  const calls = [numbers, objects, single].every((result) => result !== undefined)
  if (server === undefined && values === undefined && !calls)
    throw new Error(`${file} has no results of end-to-end, of values, or of number-echo, object-echo and one-at-a-time`)
  if (server !== undefined)
    drawAll('end-to-end', 'A server with a heavy route, and a light one beside it', serverPanels(server.details), where)
  if (calls)
    drawAll(
      'calls',
      'What a call costs',
      [
        tablePanel('numbers, tasks/s (log, higher is better)', numbers),
        tablePanel('small objects, tasks/s (log)', objects),
        tablePanel('one call at a time, p50 (log, lower)', single)
      ],
      where
    )
  if (values !== undefined) writeTable(values.details, where)
}

main()
