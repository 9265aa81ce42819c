'use strict'

const test = require('ava')
const { tableFromIPC } = require('apache-arrow')
const { Pool } = require('rspool')
const { load } = require('..')
const { objects } = require('./cells')

test.before(() => load())

/** A pool that ends with its test. */
function makePool(t) {
  const pool = new Pool({ maxThreads: 2 })
  t.teardown(() => pool.destroy())
  return pool
}

/** The chunks of a stream. */
async function collect(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const rows = Array.from({ length: 30_000 }, (_, id) => ({
  id,
  text: id % 5 === 0 ? null : `text, ${id}`,
  city: 'xyz'[id % 3]
}))
const csv = `id,text,city\n${rows.map(({ id, text, city }) => `${id},${text === null ? '' : `"${text}"`},${city}\n`).join('')}`
const ndjson = rows.map((row) => JSON.stringify(row)).join('\n')

for (const [task, input] of [
  ['table.csv', csv],
  ['table.ndjson', ndjson]
])
  test(`${task}: the chunks of a stream are the rows of the table, in order`, async (t) => {
    const pool = makePool(t)
    const columns = { city: 'dictionary' }
    for (const chunkRows of [7000, undefined]) {
      const chunks = await collect(pool.stream(task, input, { params: { columns, chunkRows } }))
      t.deepEqual(chunks.flatMap(objects), rows)
      t.true(chunks.length > 1)
      for (const { rows } of chunks.slice(0, -1)) t.true(chunkRows === undefined ? rows > 0 : rows === chunkRows)
      for (const { names, columns } of chunks) {
        t.deepEqual(names, ['id', 'text', 'city'])
        t.deepEqual(
          Object.values(columns).map(({ type }) => type),
          ['i32', 'text', 'dictionary']
        )
      }
    }
  })

test('the last field may decide the types of all chunks', async (t) => {
  const pool = makePool(t)
  const [first] = await collect(pool.stream('table.csv', `${csv}0.5,,x\n`, { params: { chunkRows: 1000 } }))
  t.is(first.columns.id.type, 'f64')
  const [line] = await collect(
    pool.stream('table.ndjson', `${ndjson}\n{"id":"x","more":1}`, { params: { chunkRows: 1000 } })
  )
  t.is(line.columns.id.type, 'text')
  t.deepEqual(line.names, ['id', 'text', 'city', 'more'])
})

test('bad rows end a stream, or are told by the chunk that comes next', async (t) => {
  const pool = makePool(t)
  const text = 'a\n1\nx\n2\n3\ny\n'
  const params = { columns: { a: 'i32' }, chunkRows: 2 }
  await t.throwsAsync(collect(pool.stream('table.csv', text, { params })), {
    code: 'ERR_RSPOOL_CORRUPT_INPUT',
    message: /row 2, column 'a': 'x' is no i32/
  })
  const chunks = await collect(pool.stream('table.csv', text, { params: { ...params, badRows: 'collect' } }))
  t.deepEqual(chunks.flatMap(objects), [{ a: 1 }, { a: 2 }, { a: 3 }])
  const bad = chunks.flatMap(({ bad }) => bad.map(({ row }) => row))
  t.deepEqual([bad, chunks.reduce((sum, { skipped }) => sum + skipped, 0)], [[2, 5], 2])
})

test('an input without rows is one chunk, which has the names', async (t) => {
  const pool = makePool(t)
  const chunks = await collect(pool.stream('table.csv', 'a,b\n'))
  t.deepEqual(
    chunks.map(({ rows, names }) => [rows, names]),
    [[0, ['a', 'b']]]
  )
  t.is((await collect(pool.stream('table.ndjson', ''))).length, 1)
})

test('a reader that leaves early ends the task', async (t) => {
  const pool = makePool(t)
  for await (const { rows } of pool.stream('table.csv', csv, { params: { chunkRows: 1 }, highWaterMark: 1 })) {
    t.is(rows, 1)
    break
  }
  await pool.close()
  t.is(pool.stats().running, 0)
})

test('rows of chunks are for streams, and one at least', async (t) => {
  const pool = makePool(t)
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  await t.throwsAsync(pool.runTask('table.csv', csv, { params: { chunkRows: 5 } }), { code, message: /pool\.stream/ })
  await t.throwsAsync(collect(pool.stream('table.ndjson', ndjson, { params: { chunkRows: 0 } })), {
    code,
    message: /1 or more/
  })
})

for (const [task, input] of [
  ['table.csvToArrow', csv],
  ['table.ndjsonToArrow', ndjson]
])
  test(`${task}: the chunks of a stream are one stream of Arrow`, async (t) => {
    const pool = makePool(t)
    const params = { columns: { city: 'dictionary' }, chunkRows: 7000 }
    const chunks = await collect(pool.stream(task, input, { params }))
    const table = tableFromIPC(Buffer.concat(chunks))
    t.is(table.batches.length, 5)
    for (const name of ['id', 'text', 'city']) {
      const vector = table.getChild(name)
      t.deepEqual(
        Array.from({ length: table.numRows }, (_, row) => vector.get(row)),
        rows.map((row) => row[name]),
        name
      )
    }
  })

test('each batch of Arrow has its own dictionary', async (t) => {
  const pool = makePool(t)
  const text = 'a,b\nx,\ny,\nz,\ny,\nw,q\n'
  const params = { columns: { a: 'dictionary', b: 'dictionary' }, chunkRows: 2 }
  const chunks = await collect(pool.stream('table.csvToArrow', text, { params }))
  const table = tableFromIPC(Buffer.concat(chunks))
  const read = (name) => Array.from({ length: 5 }, (_, row) => table.getChild(name).get(row))
  t.deepEqual(
    [read('a'), read('b')],
    [
      ['x', 'y', 'z', 'y', 'w'],
      [null, null, null, null, 'q']
    ]
  )
})
