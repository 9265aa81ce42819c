'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')
const test = require('ava')
const { Pool, tasks, lend, move } = require('rspool')
const { load } = require('..')
const { objects } = require('./cells')

/** csv-spectrum: CSV as it is found in the wild, and what is meant. */
const corpus = path.dirname(require.resolve('csv-spectrum'))

test.before(() => load())

/** In its JSON, which is no list, this file has another number than in its CSV. */
const NUMBER = { 'Contact Phone Number': '2095257564' }

const files = fs.readdirSync(path.join(corpus, 'csvs')).map((file) => path.basename(file, '.csv'))

for (const name of files) {
  test(`csv-spectrum: ${name} is read as it is meant`, async (t) => {
    const bytes = fs.readFileSync(path.join(corpus, 'csvs', `${name}.csv`))
    const meant = JSON.parse(fs.readFileSync(path.join(corpus, 'json', `${name}.json`), 'utf8'))
    const table = await tasks.table.csv(bytes, { params: { infer: false } })
    // JSON has no nulls there: an empty field is an empty text.
    const read = objects(table).map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, cell]) => [key, cell ?? '']))
    )
    t.deepEqual(read, name === 'location_coordinates' ? [{ ...meant, ...NUMBER }] : meant)
  })
}

test('columns are typed arrays', async (t) => {
  const text = 'id,big,price,done,at,note,city\n1,5000000000,1.5,true,2024-01-31,"a, b",Oslo\n2,,,,,,Oslo\n'
  const params = { columns: { city: 'dictionary' } }
  const { rows, names, columns, skipped, bad } = await tasks.table.csv(text, { params })
  t.is(rows, 2)
  t.deepEqual(names, ['id', 'big', 'price', 'done', 'at', 'note', 'city'])
  t.deepEqual(columns.id, { type: 'i32', values: new Int32Array([1, 2]) })
  t.deepEqual(columns.big, { type: 'i64', values: new BigInt64Array([5000000000n, 0n]), valid: new Uint8Array([1]) })
  t.deepEqual(columns.price, { type: 'f64', values: new Float64Array([1.5, NaN]), valid: new Uint8Array([1]) })
  t.deepEqual(columns.done, { type: 'bool', values: new Uint8Array([1, 0]), valid: new Uint8Array([1]) })
  t.deepEqual(columns.at, {
    type: 'timestamp',
    values: new Float64Array([Date.UTC(2024, 0, 31), NaN]),
    valid: new Uint8Array([1])
  })
  t.deepEqual(columns.note.offsets, new Uint32Array([0, 4, 4]))
  t.true(Buffer.isBuffer(columns.note.data))
  t.is(columns.note.data.toString(), 'a, b')
  t.deepEqual(columns.city, { type: 'dictionary', codes: new Uint32Array([0, 0]), dictionary: ['Oslo'] })
  t.deepEqual([skipped, bad], [0, []])
})

test('delimiters, quotes and nulls are as they are said to be', async (t) => {
  const params = { delimiter: ';', quote: "'", nulls: ['NA'] }
  t.deepEqual(objects(await tasks.table.csv("a;b\n'x;''y';NA\n1;2", { params })), [
    { a: "x;'y", b: null },
    { a: '1', b: 2 }
  ])
  const tabs = await tasks.table.csv('a\tb\n"x\t1\n', { params: { delimiter: '\t', quote: '' } })
  t.deepEqual(objects(tabs), [{ a: '"x', b: 1 }])
})

test('a name of a column is no property of objects', async (t) => {
  const { names, columns } = await tasks.table.csv('__proto__,constructor\n1,2\n')
  t.deepEqual(names, ['__proto__', 'constructor'])
  t.is(Object.getOwnPropertyDescriptor(columns, '__proto__').value.values[0], 1)
  t.is({}.values, undefined)
})

test('bad rows end the task, or are left out', async (t) => {
  const text = 'a,b\n1,2\nx,3\n4\n5,6\n'
  const call = (badRows) => tasks.table.csv(text, { params: { badRows, columns: { a: 'i32' } } })
  await t.throwsAsync(call(), { code: 'ERR_RSPOOL_CORRUPT_INPUT', message: /row 2, column 'a': 'x' is no i32/ })
  const skipped = await call('skip')
  t.deepEqual([skipped.rows, skipped.skipped, skipped.bad], [2, 2, []])
  const collected = await call('collect')
  t.deepEqual(objects(collected), [
    { a: 1, b: 2 },
    { a: 5, b: 6 }
  ])
  t.deepEqual(collected.bad, [
    { row: 2, column: 'a', message: "'x' is no i32" },
    { row: 3, column: undefined, message: 'it has 1 fields, and there are 2 columns' }
  ])
})

test('wrong params are named', async (t) => {
  const invalid = (params, message) =>
    t.throwsAsync(tasks.table.csv('a\n1\n', { params }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message })
  await invalid({ delimiter: '::' }, /params\.delimiter must be one character of ASCII/)
  await invalid({ delimiter: '"' }, /params\.quote and params\.delimiter must be two characters/)
  await invalid({ columns: { a: 'float' } }, /params\.columns\.a must be 'bool', 'i32'/)
  await invalid({ columns: { b: 'f64' } }, /there is no column 'b'; there are 'a'/)
  await invalid({ badRows: 'ignore' }, /params\.badRows must be 'error', 'skip' or 'collect'/)
  await invalid({ maxRow: 1 }, /did you mean maxRows/)
})

/** Many rows, some of them long: more than one chunk. */
function large() {
  const rows = ['id,text,price']
  for (let row = 0; row < 40_000; row++) rows.push(`${row},"line ""${row}""\n, of a text",${row / 4}`)
  return Buffer.from(rows.join('\n'))
}

test('a large input is read by several workers as by one, however it comes', async (t) => {
  const bytes = large()
  const pool = new Pool({ maxThreads: 4, minThreads: 4 })
  const alone = await pool.runTask('table.csv', bytes, { parallel: false })
  t.is(alone.rows, 40_000)
  t.is(alone.columns.id.values[39_999], 39_999)
  const shared = new SharedArrayBuffer(bytes.length)
  Buffer.from(shared).set(bytes)
  const ways = [bytes, lend(bytes), new Uint8Array(shared), move(Uint8Array.from(bytes).buffer), bytes.toString()]
  for (const way of ways) t.true(isDeepStrictEqual(await pool.runTask('table.csv', way), alone))
  await pool.close()
})

test('it ends when it is given up, and counts its rows', async (t) => {
  const bytes = large()
  await t.throwsAsync(tasks.table.csv(bytes, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  const { AtomicCounters } = require('rspool')
  const counters = new AtomicCounters(['rows', 'bytes'])
  const { rows } = await tasks.table.csv(bytes, { counters: counters.share() })
  t.is(counters.get('rows'), rows)
})
