'use strict'

/** The cells of a column, as they would be in JSON. */
function cells({ type, values, offsets, data, codes, dictionary, valid }, rows) {
  const isNull = (row) => valid !== undefined && ((valid[row >> 3] >> (row & 7)) & 1) === 0
  const cell = (row) => {
    if (isNull(row)) return null
    if (type === 'text') return Buffer.from(data).toString('utf8', offsets[row], offsets[row + 1])
    return type === 'dictionary' ? dictionary[codes[row]] : type === 'bool' ? values[row] === 1 : values[row]
  }
  return Array.from({ length: rows }, (_, row) => cell(row))
}

/** The rows of a table as objects. */
function objects({ rows, names, columns }) {
  const all = names.map((name) => [name, cells(columns[name], rows)])
  return Array.from({ length: rows }, (_, row) => Object.fromEntries(all.map(([name, list]) => [name, list[row]])))
}

module.exports = { cells, objects }
