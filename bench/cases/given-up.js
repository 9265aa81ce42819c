'use strict'

const { Pool, lend } = require('../..')
const { photo } = require('../lib/companions')
const { median } = require('../lib/measure')
const { UNITS } = require('../lib/report')

/** @typedef {{ name: string, task: string, input: unknown, params?: object }} Kind */

/** Tasks that take long, each of another kind of work. @param {number} scale @returns {Kind[]} */
function ownKinds(scale) {
  const numbers = Float64Array.from({ length: 1e7 * scale }, () => Math.random())
  const keys = Int32Array.from(numbers, (n) => Math.floor(n * 2 ** 31))
  const text = Buffer.from('The same words, over and over, with a number here and there: 12345. '.repeat(3e5 * scale))
  const of = (/** @type {string} */ task, /** @type {unknown} */ input, /** @type {object} */ params = {}) => {
    return { name: task, task, input, params }
  }
  return [
    of('hash.sha256', lend(numbers)),
    of('compress.gzip', lend(numbers), { level: 9 }),
    of('compress.lz4', lend(numbers)),
    of('compress.zlib', lend(text)),
    of('array.sort', lend(numbers)),
    of('array.argsort', lend(numbers)),
    of('array.stats', lend(numbers), { quantiles: [0.5] }),
    of('array.histogram', lend(numbers)),
    of('array.groupBy', { keys: lend(keys), values: lend(numbers) }, { how: 'sum' }),
    of('array.topK', lend(numbers), { k: numbers.length / 2 }),
    of('array.nearest', { matrix: lend(numbers), query: lend(numbers.slice(0, 100)) }, { k: 1000 }),
    of('array.matmul', { a: lend(numbers.slice(0, 1e6)), b: lend(numbers.slice(0, 1e6)) }, { k: 1000 }),
    of('math.countPrimes', 1e9 * scale)
  ]
}

/** Each decode, resize and encode of an image of 12 megapixels. @returns {Promise<Kind[]>} */
async function imageKinds() {
  const jpeg = await photo()
  const pool = new Pool({ maxThreads: 1 })
  const into = async (/** @type {object} */ params) =>
    /** @type {{ data: Buffer }} */ (await pool.runTask('image.resize', lend(jpeg), { params })).data
  const files = {
    jpeg,
    'progressive jpeg': await into({ progressive: true, quality: 85 }),
    png: await into({ format: 'png', compression: 'fast' }),
    webp: await into({ format: 'webp' })
  }
  await pool.close()
  const small = Object.entries(files).map(([name, file]) => ({
    name: `image: ${name} to 1600`,
    task: 'image.resize',
    input: lend(file),
    params: { width: 1600, fastShrink: false, format: 'raw' }
  }))
  const large = [
    { format: 'jpeg', quality: 90 },
    { format: 'jpeg', progressive: true },
    { format: 'png', compression: 'fast' },
    { format: 'png', compression: 'high', width: 800 },
    { format: 'webp' },
    { format: 'raw', rotate: 90 },
    { format: 'raw', linear: true, width: 3900 }
  ].map((params) => ({
    name: `image: jpeg to ${Object.values(params).join(', ')}`,
    task: 'image.resize',
    input: lend(jpeg),
    params
  }))
  return [...small, ...large]
}

/**
 * How long a task keeps its worker after it was given up, at a random moment of its work. Undefined if it had ended.
 * @param {Pool} pool with one worker
 * @param {Kind} kind
 * @param {number} took milliseconds, if it is left alone
 */
async function stay(pool, { task, input, params }, took) {
  const controller = new AbortController()
  const call = pool.runTask(task, input, { params, parallel: false, signal: controller.signal })
  const ended = call.then(
    () => true,
    () => false
  )
  await new Promise((resolve) => setTimeout(resolve, Math.random() * took))
  const start = performance.now()
  controller.abort()
  const next = pool.runTask('math.fibonacci', 1)
  if (await ended) return undefined
  await next
  return performance.now() - start
}

module.exports = {
  title: 'Native tasks that are given up',
  what: 'How long a native task keeps its worker after its abort, at random moments of its work: until the next task has run. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick, part }) {
    const wanted = (/** @type {string} */ name) =>
      part === undefined || part.split(',').some((each) => name.includes(each))
    const withImages = part === undefined || part.includes('image')
    const images = withImages ? await imageKinds().catch(({ message }) => void console.log(message)) : []
    const chosen = [...ownKinds(quick ? 0.2 : 1), ...(images ?? [])].filter(({ name }) => wanted(name))
    const pool = new Pool({ minThreads: 1, maxThreads: 1 })
    const { show } = UNITS.ms
    const lines = [['', 'whole task', 'stays, median', 'at most', 'times']]
    for (const kind of chosen) {
      const start = performance.now()
      await pool.runTask(kind.task, kind.input, { params: kind.params, parallel: false })
      const took = performance.now() - start
      const stays = []
      for (let round = 0; round < 4 * rounds; round++) {
        const each = await stay(pool, kind, took)
        if (each !== undefined) stays.push(each)
      }
      if (stays.length > 0)
        lines.push([kind.name, show(took), show(median(stays)), show(Math.max(...stays)), String(stays.length)])
    }
    await pool.close()
    return { tables: [{ lines }], targets: [] }
  }
}
