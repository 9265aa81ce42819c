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
