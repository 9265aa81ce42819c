'use strict'

const test = require('ava')
const { tasks, lend } = require('rspool')
const { load } = require('..')
const { objects } = require('./cells')

test.before(() => load())

test('NDJSON becomes a table of the names in all objects', async (t) => {
  const table = await tasks.table.ndjson('{"a":1,"b":"x"}\n{"b":"1","c":[1,{"d":2}]}\n')
  t.deepEqual(table.names, ['a', 'b', 'c'])
  t.deepEqual(objects(table), [
    { a: 1, b: 'x', c: null },
    { a: null, b: '1', c: '[1,{"d":2}]' }
  ])
  const collected = await tasks.table.ndjson('{"a":1}\n{"a":}\n', { params: { badRows: 'collect' } })
  t.deepEqual([collected.rows, collected.skipped, collected.bad[0].row], [1, 1, 2])
  await t.throwsAsync(tasks.table.ndjson('[]'), {
    code: 'ERR_RSPOOL_CORRUPT_INPUT',
    message: /row 1: .*expected an object/
  })
})

/** Rows whose sums have a plain answer. */
const rows = Array.from({ length: 3000 }, (_, i) => ({
  city: ['Oslo', 'Lima', null][i % 3],
  kind: i % 2,
  big: 9007199254740992 + i,
  price: i % 5 === 0 ? null : i / 8
}))

/** The same in JavaScript. */
function expected(hows) {
  const groups = new Map()
  for (const row of rows) {
    const key = `${row.city}-${row.kind}`
    const group = groups.get(key) ?? { city: row.city, kind: row.kind, all: 0, values: [] }
    groups.set(key, group)
    group.all++
    if (row.price !== null) group.values.push(row.price)
  }
  return Array.from(groups.values(), ({ city, kind, all, values }) => {
    const sum = values.reduce((a, b) => a + b, 0)
    const results = {
      count: values.length,
      sum,
      mean: sum / values.length,
      min: Math.min(...values),
      max: Math.max(...values)
    }
    return { city, kind, count: all, ...Object.fromEntries(hows.map((how) => [`price_${how}`, results[how]])) }
  })
}

test('groups have their counts, sums, means and extremes', async (t) => {
  const hows = ['count', 'sum', 'mean', 'min', 'max']
  const values = [{ how: 'count' }, ...hows.map((how) => ({ how, column: 'price' }))]
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  for (const city of ['text', 'dictionary']) {
    const table = await tasks.table.ndjson(text, { params: { columns: { city } } })
    const result = await tasks.table.aggregate(table, { params: { by: ['city', 'kind'], values } })
    t.deepEqual(objects(result), expected(hows))
  }
})

test('integers of 64 bits keep all their digits, and columns have the names they are given', async (t) => {
  const table = await tasks.table.csv('a,b\n9007199254740993,2024-01-31\n9007199254740992,\n,2024-02-01\n')
  const values = [
    { how: 'max', column: 'a', name: 'most' },
    { how: 'min', column: 'b', name: 'first' }
  ]
  const result = await tasks.table.aggregate(table, { params: { values } })
  t.deepEqual(objects(result), [{ most: 9007199254740993n, first: Date.UTC(2024, 0, 31) }])
  const empty = await tasks.table.csv('a,b\n')
  t.is((await tasks.table.aggregate(empty, { params: { values: [{ how: 'count' }] } })).rows, 0)
})

test('what is no table, and what cannot be computed, is named', async (t) => {
  const table = await tasks.table.csv('a,b\n1,x\n2,y\n')
  const invalid = (input, params, message) =>
    t.throwsAsync(tasks.table.aggregate(input, { params }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message })
  const count = [{ how: 'count' }]
  await invalid(table, { by: ['c'], values: count }, /there is no column 'c'/)
  await invalid(
    table,
    { values: [{ how: 'sum', column: 'b' }] },
    /'sum' is of numbers, and column 'b' is of type 'text'/
  )
  await invalid(table, { values: [{ how: 'sum' }] }, /'sum' needs a column/)
  await invalid(table, { values: [{ how: 'median', column: 'a' }] }, /params\.values\[0\]\.how must be 'count'/)
  await invalid(table, { by: ['a'], values: [{ how: 'max', column: 'a', name: 'a' }] }, /two columns of the result/)
  const column = (change) => ({ ...table, columns: { ...table.columns, b: { ...table.columns.b, ...change } } })
  await invalid(column({ offsets: new Uint32Array([0, 9, 2]) }), { values: count }, /offsets must be 0 and the ends/)
  await invalid(column({ offsets: new Uint32Array([0, 1]) }), { values: count }, /columns\.b must have 2 rows/)
  await invalid(column({ type: 'date' }), { values: count }, /columns\.b\.type must be the type of a column/)
  const codes = { type: 'dictionary', codes: new Uint32Array([0, 5]), dictionary: ['x'] }
  await invalid(column(codes), { values: count }, /codes must be places in/)
  await invalid({ rows: 1 }, { values: count }, /input\.names must be an array/)
  await invalid(lend(Buffer.from('a')), { values: count }, /input must be an object/)
})
