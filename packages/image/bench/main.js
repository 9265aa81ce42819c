'use strict'

// Compares with sharp and @napi-rs/image on the same files, in CPU time, one thread each: `npm install` in this folder,
// then `node main.js`. Ratios are ours to theirs, of the least of some alternating runs: on a busy machine the absolute
// numbers say little.

const { Transformer, ResizeFilterType } = require('@napi-rs/image')
const sharp = require('sharp')
const { Pool } = require('rspool')
const { load } = require('..')
const { HEIGHT, WIDTH, pixels } = require('./photo')

const rounds = Number(process.env.ROUNDS ?? 8)

function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The least CPU time of each, of runs that alternate. @param {Record<string, () => Promise<unknown>>} calls */
async function least(calls) {
  /** @type {Record<string, number>} */
  const times = {}
  for (const call of Object.values(calls)) await call()
  for (let round = 0; round < rounds; round++)
    for (const [name, call] of Object.entries(calls)) {
      const start = cpu()
      await call()
      times[name] = Math.min(times[name] ?? Infinity, cpu() - start)
    }
  return times
}

/** How much alike, in decibels. @param {Buffer} one @param {Buffer} other */
function psnr(one, other) {
  let squares = 0
  for (let at = 0; at < one.length; at++) squares += (one[at] - other[at]) ** 2
  return 10 * Math.log10((255 * 255 * one.length) / squares)
}

/** How long a light task takes while 64 images are made. @param {() => Promise<unknown>} image @param {() => Promise<unknown>} light */
async function beside(image, light) {
  let going = true
  const load = Promise.all(
    Array.from({ length: 64 }, async () => {
      while (going) await image()
    })
  )
  const waits = []
  for (let call = 0; call < 40; call++) {
    const start = performance.now()
    await light()
    waits.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  going = false
  await load
  return Math.max(...waits)
}

async function main() {
  sharp.cache(false)
  sharp.concurrency(1)
  await load()
  const pool = new Pool({ maxThreads: 1 })
  const resize = (file, params) => pool.runTask('image.resize', file, { params, parallel: false })

  const raw = sharp(pixels(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
  const baseline = await raw.clone().jpeg({ quality: 85 }).toBuffer()
  const progressive = await raw.clone().jpeg({ quality: 85, progressive: true }).toBuffer()
  const whole = sharp(await sharp(baseline).raw().toBuffer(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })

  for (const [name, file, width] of [
    ['12 MP JPEG to 320', baseline, 320],
    ['12 MP progressive JPEG to 320', progressive, 320],
    ['12 MP JPEG to 1600', baseline, 1600]
  ]) {
    const ours = async () => (await resize(file, { width })).data
    const theirs = () => sharp(file).resize(width).jpeg({ quality: 80 }).toBuffer()
    const times = await least({
      ours,
      sharp: theirs,
      ...(width === 320 && {
        napi: () => new Transformer(file).resize(width, null, ResizeFilterType.Lanczos3).jpeg(80)
      })
    })
    const reference = await whole.clone().resize(width).raw().toBuffer()
    const likeness = async (image) => psnr(await sharp(image).raw().toBuffer(), reference)
    const [a, b] = [await ours(), await theirs()]
    const napi = times.napi ? `, @napi-rs/image takes ${(times.napi / times.ours).toFixed(1)} ×` : ''
    console.log(`${name}: ${times.ours.toFixed(1)} ms, ${(times.ours / times.sharp).toFixed(2)} × sharp${napi}`)
    console.log(
      `  ${(await likeness(a)).toFixed(2)} dB, sharp ${(await likeness(b)).toFixed(2)}; ${a.length} and ${b.length} bytes`
    )
  }
  await pool.close()

  const shared = new Pool()
  const light = Buffer.alloc(1000)
  const ours = await beside(
    () => shared.runTask('image.resize', baseline, { params: { width: 320 } }),
    () => shared.runTask('hash.sha256', light, { priority: -10 })
  )
  const { promisify } = require('node:util')
  const deflate = promisify(require('node:zlib').deflate)
  const theirs = await beside(
    () => sharp(baseline).resize(320).jpeg({ quality: 80 }).toBuffer(),
    () => deflate(light)
  )
  console.log(
    `the slowest of 40 light tasks beside 64 images: ${ours.toFixed(1)} ms, ${(ours / theirs).toFixed(2)} × zlib beside sharp`
  )
  await shared.close()
}

main()
