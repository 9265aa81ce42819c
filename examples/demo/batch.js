'use strict'

// The same work two ways: through a pool, and on the main thread.

const { createHash } = require('node:crypto')
const fs = require('node:fs/promises')
const { performance } = require('node:perf_hooks')
const zlib = require('node:zlib')
const { Pool } = require('rspool')
const analyse = require('./analyse')
const { measureDelay } = require('./delay')

/** @typedef {import('./files').File} File */
/** @typedef {import('./analyse').Analysis} Analysis */
/** @typedef {{ digest: string, compressed: Uint8Array, analysis?: Analysis }} Result */
/** @typedef {{ tasks: number, bytes: number }} Progress */
/**
 * @typedef {object} Run
 * @property {number} time milliseconds
 * @property {number} tasks
 * @property {import('./delay').Delay} delay
 * @property {Result[]} results one a file
 */

/**
 * Runs `work` for each file, `window` at a time: the next file is read when one is done, so that
 * memory stays flat however many files there are.
 * @param {File[]} files
 * @param {number} window
 * @param {(content: Buffer, file: File) => Promise<Result> | Result} work
 * @param {(progress: Progress) => void} onProgress
 * @returns {Promise<Run>}
 */
async function runBatch(files, window, work, onProgress) {
  /** @type {Result[]} */
  const results = new Array(files.length)
  const progress = { tasks: 0, bytes: 0 }
  let next = 0
  const oneAfterAnother = async () => {
    while (next < files.length) {
      const at = next++
      const result = await work(await fs.readFile(files[at].path), files[at])
      results[at] = result
      progress.tasks += result.analysis === undefined ? 2 : 3
      progress.bytes += files[at].size
      onProgress(progress)
    }
  }
  const stopMeasuring = measureDelay()
  const begin = performance.now()
  await Promise.all(Array.from({ length: window }, oneAfterAnother))
  const time = performance.now() - begin
  return { time, tasks: progress.tasks, delay: stopMeasuring(), results }
}

/**
 * Starting the workers is part of the time.
 * @param {File[]} files
 * @param {{ threads: number, window: number, level: number }} settings
 * @param {(progress: Progress) => void} onProgress
 */
async function throughPool(files, { threads, window, level }, onProgress) {
  const pool = new Pool({ filename: require.resolve('./analyse'), maxThreads: threads })
  const run = await runBatch(
    files,
    window,
    async (content, { text }) => {
      const [digest, compressed, analysis] = await Promise.all([
        pool.runTask('hash.sha256', content, { params: { encoding: 'hex' } }),
        pool.runTask('compress.gzip', content, { params: { level } }),
        text ? pool.run(content) : undefined
      ])
      return { digest, compressed, analysis }
    },
    onProgress
  ).catch(async (error) => {
    await pool.destroy()
    throw error
  })
  const stats = pool.stats()
  await pool.close()
  return { ...run, stats }
}

/**
 * @param {File[]} files
 * @param {{ window: number, level: number }} settings
 * @param {(progress: Progress) => void} onProgress
 */
function onMainThread(files, { window, level }, onProgress) {
  return runBatch(
    files,
    window,
    (content, { text }) => ({
      digest: createHash('sha256').update(content).digest('hex'),
      compressed: zlib.gzipSync(content, { level }),
      analysis: text ? analyse(content) : undefined
    }),
    onProgress
  )
}

/**
 * What differs between two runs: paths. Compressors may differ in the bytes that they choose, so what
 * counts is that both give back the content.
 * @param {File[]} files
 * @param {Result[]} a
 * @param {Result[]} b
 */
function differences(files, a, b) {
  const contentOf = (/** @type {Result} */ { compressed }) =>
    createHash('sha256').update(zlib.gunzipSync(compressed)).digest('hex')
  return files
    .filter(
      (_, i) =>
        a[i].digest !== b[i].digest ||
        contentOf(a[i]) !== a[i].digest ||
        contentOf(b[i]) !== b[i].digest ||
        JSON.stringify(a[i].analysis) !== JSON.stringify(b[i].analysis)
    )
    .map((file) => file.path)
}

module.exports = { throughPool, onMainThread, differences }
