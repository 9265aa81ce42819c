'use strict'

// Reads generated files by table.csv, papaparse and csv-parse, and ends with an error where they differ: `npm install` in
// this folder, then `node differential.js [files]`.

const assert = require('node:assert')
const { parse } = require('csv-parse/sync')
const fc = require('fast-check')
const papa = require('papaparse')
const { tasks } = require('rspool')
const { load } = require('..')
const { objects } = require('../test/cells')

const FILES = Number(process.argv[2] ?? 3000)

const cell = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', 'é', ' ', '1') }),
  fc.integer().map(String)
)
/** Rows of the same length. */
const table = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 60 }))

/** @param {string[][]} rows @param {string} end @param {boolean} all whether all cells are in quotes */
function write(rows, end, all) {
  /** @param {string} text */
  const quoted = (text) => (all || /[",\n\r]|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return rows.map((row) => row.map(quoted).join(',')).join(end)
}

async function main() {
  await load()
  const same = fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), async (rows, end, all) => {
    const names = rows[0].map((_, column) => `c${column}`)
    const text = write([names, ...rows], end, all)
    const ours = objects(await tasks.table.csv(text, { params: { infer: false } })).map((row) => Object.values(row))
    assert.deepStrictEqual(ours, rows)
    assert.deepStrictEqual(papa.parse(text, { delimiter: ',', newline: end }).data.slice(1), rows)
    assert.deepStrictEqual(parse(text, { record_delimiter: end }).slice(1), rows)
  })
  await fc.assert(same, { numRuns: FILES })
  console.log(`${FILES} files are read alike`)
}

main()
