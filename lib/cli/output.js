'use strict'

// The output of commands: tables, sizes and times, with colours on a terminal.

const { styleText } = require('node:util')

/** @typedef {'red'|'green'|'yellow'|'cyan'|'dim'|'bold'|'inverse'} Style */

/** Colours are for terminals, unless the user says otherwise (no-color.org). */
function colourful(stream = process.stdout) {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

const coloured = colourful() && typeof styleText === 'function'

/** @param {Style} style @param {string} text */
const paint = (style, text) => (coloured ? styleText(style, text) : text)

/** The colour of a state. @param {string} state */
function paintState(state) {
  if (state === 'ready' || state === 'running') return paint('green', state)
  if (state === 'unresponsive' || state === 'failed' || state === 'stalled') return paint('red', state)
  return paint('yellow', state)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of colours begin with one.
const SEQUENCES = /\u001b\[[0-9;]*m/g
/** @param {string} text */
const widthOf = (text) => text.replace(SEQUENCES, '').length

/**
 * @param {string[]} heads a head that begins with '>' is of a column of numbers, aligned to the right
 * @param {string[][]} rows
 */
function table(heads, rows) {
  const right = heads.map((head) => head.startsWith('>'))
  const names = heads.map((head) => head.replace(/^>/, ''))
  const widths = names.map((name, column) => Math.max(name.length, ...rows.map((row) => widthOf(row[column]))))
  const line = (/** @type {string[]} */ cells) =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(widths[column] - widthOf(cell))
        return right[column] ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  return [paint('dim', line(names)), ...rows.map(line)].join('\n')
}

/** @param {number|undefined} bytes */
function bytes(bytes) {
  if (bytes === undefined) return '-'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = bytes
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** @param {number|undefined} ms */
function time(ms) {
  if (ms === undefined) return '-'
  if (ms < 1) return '0 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} m ${Math.floor(ms / 1000) % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** @param {number|undefined} part */
const percent = (part) => (part === undefined ? '-' : `${Math.round(part * 100)} %`)

/** @param {number|undefined} value */
const number = (value) =>
  value === undefined ? '-' : value >= 100 ? String(Math.round(value)) : String(+value.toFixed(1))

/** @param {unknown} value */
const json = (value) => console.log(JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0))

module.exports = { colourful, paint, paintState, widthOf, table, bytes, time, percent, number, json }
