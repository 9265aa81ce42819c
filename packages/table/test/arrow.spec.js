'use strict'

const test = require('ava')
const { tableFromIPC } = require('apache-arrow')
const { tasks } = require('rspool')
const { load } = require('..')
const { cells } = require('./cells')

test.before(() => load())

/** What apache-arrow makes of a stream: names, types and cells. */
function read(bytes) {
  const table = tableFromIPC(bytes)
  return table.schema.fields.map(({ name, type }) => [name, String(type), table.getChild(name)])
}

/** The cells of a column of apache-arrow. */
function vectorOf(table, name) {
  const vector = table.getChild(name)
  return Array.from({ length: table.numRows }, (_, row) => vector.get(row))
}

test('apache-arrow reads every type of column, with nulls', async (t) => {
  const row = (i) =>
    `${i},${5e9 + i},${i / 4},${i % 2 === 0},2024-01-31T00:00:0${i % 10}Z,"text, ${i}",${'xyz'[i % 3]},`
  const rows = Array.from({ length: 1000 }, (_, i) => (i % 7 === 3 ? ',,,,,,,' : row(i)))
  const text = `i32,i64,f64,bool,time,text,dictionary,nothing\n${rows.join('\n')}\n`
  const params = { columns: { dictionary: 'dictionary' } }
  const { columns, names } = await tasks.table.csv(text, { params })
  const arrow = read(await tasks.table.csvToArrow(text, { params }))
  t.deepEqual(
    arrow.map(([name, type]) => [name, type]),
    [
      ['i32', 'Int32'],
      ['i64', 'Int64'],
      ['f64', 'Float64'],
      ['bool', 'Bool'],
      ['time', 'Timestamp<MILLISECOND, UTC>'],
      ['text', 'Utf8'],
      ['dictionary', 'Dictionary<Int32, Utf8>'],
      ['nothing', 'Null']
    ]
  )
  for (const [name, , vector] of arrow) {
    const found = Array.from({ length: 1000 }, (_, i) => vector.get(i))
    t.deepEqual(found, cells(columns[name], 1000), name)
    t.is(vector.nullCount, name === 'nothing' ? 1000 : 143, name)
  }
  t.is(names.length, arrow.length)
})

test('NDJSON and tables without rows become streams, too', async (t) => {
  const [[name, type, vector]] = read(await tasks.table.ndjsonToArrow('{"a":1.5}\n{"a":null}\n'))
  t.deepEqual([name, type, vector.get(0), vector.get(1)], ['a', 'Float64', 1.5, null])
  t.is(tableFromIPC(await tasks.table.csvToArrow('a,b\n')).numRows, 0)
  t.is(tableFromIPC(await tasks.table.csvToArrow('')).numRows, 0)
})

test('columns without a value, of a dictionary or of any type, are read as nulls', async (t) => {
  const types = ['bool', 'i32', 'i64', 'f64', 'timestamp', 'text', 'dictionary']
  const columns = Object.fromEntries(types.map((type) => [type, type]))
  for (const rows of [0, 1, 8, 9]) {
    const text = `${types.join()}\n${',,,,,,\n'.repeat(rows)}`
    const table = tableFromIPC(await tasks.table.csvToArrow(text, { params: { columns } }))
    t.is(table.numRows, rows)
    t.deepEqual(table.schema.names, types)
    for (const type of types) t.deepEqual(vectorOf(table, type), new Array(rows).fill(null), type)
  }
})

test('a table of no columns, and one of columns that are not wanted, have none in Arrow', async (t) => {
  for (const [text, params] of [
    ['', {}],
    ['a,b\n1,2\n', { select: [] }]
  ])
    t.deepEqual(tableFromIPC(await tasks.table.csvToArrow(text, { params })).schema.names, [])
})

test('texts and integers are whole at the ends of their ranges', async (t) => {
  const long = 'ü€😀'.repeat(50_000)
  const text = `a,b,c\n-2147483648,-9223372036854775808,"${long}"\n2147483647,9223372036854775807,""\n,,x\n`
  const table = tableFromIPC(await tasks.table.csvToArrow(text))
  t.deepEqual(vectorOf(table, 'a'), [-2147483648, 2147483647, null])
  t.deepEqual(vectorOf(table, 'b'), [-9223372036854775808n, 9223372036854775807n, null])
  t.deepEqual(vectorOf(table, 'c'), [long, '', 'x'])
})

test('a table that was read, and groups of its rows, become Arrow', async (t) => {
  const text = 'city,price,at,done\nOslo,1.5,2024-01-31,true\nLima,,,false\nOslo,2,2024-02-01,\n'
  const table = await tasks.table.csv(text, { params: { columns: { city: 'dictionary' } } })
  const arrow = tableFromIPC(await tasks.table.toArrow(table))
  for (const name of table.names) t.deepEqual(vectorOf(arrow, name), cells(table.columns[name], 3), name)
  const params = { by: ['city'], values: [{ how: 'sum', column: 'price' }] }
  const groups = tableFromIPC(await tasks.table.toArrow(await tasks.table.aggregate(table, { params })))
  t.deepEqual(
    [vectorOf(groups, 'city'), vectorOf(groups, 'price_sum')],
    [
      ['Oslo', 'Lima'],
      [3.5, null]
    ]
  )
})
