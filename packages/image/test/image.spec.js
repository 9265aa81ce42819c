'use strict'

const test = require('ava')
const { Pool, lend, move, tasks } = require('rspool')
const { load } = require('..')
const { png, slope } = require('./files')

/** @type {Buffer} */
let jpeg

test.before(async () => {
  await load()
  jpeg = (await tasks.image.resize(png(1600, 1200, slope), { params: { format: 'jpeg', quality: 90 } })).data
})

test('the header of an image is read', async (t) => {
  const { profile, ...info } = await tasks.image.info(jpeg)
  t.is(profile, undefined)
  t.deepEqual(info, {
    format: 'jpeg',
    width: 1600,
    height: 1200,
    channels: 3,
    depth: 8,
    hasAlpha: false,
    orientation: 1,
    animated: false,
    progressive: false
  })
})

test('an image gets another size and format', async (t) => {
  const { data, ...rest } = await tasks.image.resize(jpeg, { params: { width: 200, height: 200, format: 'png' } })
  t.deepEqual(rest, { width: 200, height: 200, channels: 3, format: 'png', outputs: [] })
  const { format, width, height } = await tasks.image.info(data)
  t.deepEqual([format, width, height], ['png', 200, 200])
})

test('several images come of one decode', async (t) => {
  const params = { width: 640, outputs: [{ width: 320 }, { width: 160, format: 'webp' }] }
  const { width, outputs } = await tasks.image.resize(jpeg, { params })
  t.is(width, 640)
  t.deepEqual(
    outputs.map(({ width, height, format }) => [width, height, format]),
    [
      [320, 240, 'jpeg'],
      [160, 120, 'webp']
    ]
  )
  for (const { data, format } of outputs) t.is((await tasks.image.info(data)).format, format)
})

test('pixels are four bytes each', async (t) => {
  const { data, width, height } = await tasks.image.pixels(png(3, 2, slope))
  t.deepEqual([width, height, data.length], [3, 2, 24])
  t.deepEqual([...data.subarray(0, 8)], [0, 0, 0, 255, 1, 0, 1, 255])
})

test('images that are moved, shared or lent are read as those that are copied', async (t) => {
  const params = { width: 50, format: 'raw' }
  const { data } = await tasks.image.resize(jpeg, { params })
  const shared = new Uint8Array(new SharedArrayBuffer(jpeg.length))
  shared.set(jpeg)
  const own = new Uint8Array(jpeg)
  for (const input of [lend(jpeg), shared, move(own)])
    t.deepEqual((await tasks.image.resize(input, { params })).data, data)
})

test('failures have their codes', async (t) => {
  const code = (input, params) => tasks.image.resize(input, { params }).then(null, ({ code }) => code)
  t.is(await code(Buffer.from('GIF')), 'ERR_IMAGE_FORMAT')
  t.is(await code(jpeg, { maxPixels: 1000 }), 'ERR_IMAGE_TOO_LARGE')
  t.is(await code(jpeg.subarray(0, jpeg.length / 2)), 'ERR_RSPOOL_CORRUPT_INPUT')
  await t.throwsAsync(tasks.image.resize(jpeg, { params: { widht: 3 } }), { message: /did you mean width\?/ })
  await t.throwsAsync(tasks.image.resize(jpeg, { params: { fit: 'crop' } }), { message: /'cover', 'contain'/ })
})

test('progress is told, up to the whole', async (t) => {
  const heard = []
  await tasks.image.resize(jpeg, { params: { width: 800 }, onProgress: (value) => heard.push(value) })
  t.is(heard.at(-1), 1)
})

test('a task that is given up ends, and the worker takes the next one', async (t) => {
  const pool = new Pool({ maxThreads: 1 })
  const controller = new AbortController()
  const params = { format: 'png', compression: 'high', width: 4000 }
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred()
  const aborted = pool.runTask('image.resize', jpeg, { params, signal: controller.signal, onProgress: resolve })
  await promise
  controller.abort()
  await t.throwsAsync(aborted, { code: 'ABORT_ERR' })
  t.is((await pool.runTask('image.resize', jpeg, { params: { width: 10 } })).width, 10)
  await pool.close()
})

function deferred() {
  const parts = {}
  parts.promise = new Promise((resolve) => Object.assign(parts, { resolve }))
  return parts
}

test('many at once give what one gives', async (t) => {
  const pool = new Pool({ maxThreads: 2 })
  const widths = Array.from({ length: 40 }, (_, index) => 20 + index)
  const call = (width) => pool.runTask('image.resize', jpeg, { params: { width, format: 'raw' } })
  const made = await Promise.all(widths.map(call))
  for (const [index, width] of widths.entries()) t.deepEqual(made[index], await call(width))
  await pool.close()
})

test('images that look alike have hashes that are alike', async (t) => {
  const { data } = await tasks.image.resize(jpeg, { params: { width: 300, quality: 50 } })
  const bits = (one, other) => [...(one ^ other).toString(2)].filter((bit) => bit === '1').length
  for (const kind of ['phash', 'dhash']) {
    const [one, other] = await Promise.all([jpeg, data].map((image) => tasks.image.hash(image, { params: { kind } })))
    t.is(typeof one, 'bigint')
    t.true(bits(one, other) <= 8, `${kind}: ${one} and ${other}`)
  }
})

test('placeholders are short texts', async (t) => {
  const thumbhash = Buffer.from(await tasks.image.placeholder(jpeg), 'base64')
  t.true(thumbhash.length >= 5 && thumbhash.length <= 30)
  t.is((await tasks.image.placeholder(jpeg, { params: { kind: 'blurhash' } })).length, 28)
})
