'use strict'

// The tasks of the packages in packages/, each beside other packages that do the same work.

const { deflateSync } = require('node:zlib')
const { lend, runTaskSync, tasks } = require('../..')
const { HEIGHT, WIDTH, pixels } = require('../../packages/image/bench/photo')
const { installed } = require('./installed')

/** @typedef {import('./contests').Contest} Contest */

/** A part of a PNG. @param {string} type @param {Buffer} data */
function part(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  size.writeUInt32BE(data.length)
  sum.writeUInt32BE(/** @type {number} */ (runTaskSync('hash.crc32', body)))
  return Buffer.concat([size, body, sum])
}

/** The photograph as a JPEG, of 12 megapixels. */
async function photo() {
  await require('../../packages/image').load()
  const colours = pixels()
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 3))
  for (let y = 0; y < HEIGHT; y++) colours.copy(rows, y * (1 + WIDTH * 3) + 1, y * WIDTH * 3, (y + 1) * WIDTH * 3)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(WIDTH, 0)
  header.writeUInt32BE(HEIGHT, 4)
  header.set([8, 2], 8)
  const data = deflateSync(rows, { level: 1 })
  const parts = [part('IHDR', header), part('IDAT', data), part('IEND', Buffer.alloc(0))]
  const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts])
  return (await imageTasks().resize(png, { params: { format: 'jpeg', quality: 85 } })).data
}

/** @returns {any} */
const imageTasks = () => /** @type {any} */ (tasks).image

/** @returns {Promise<Contest[]>} */
async function images() {
  const [sharp, napi] = [installed('sharp'), installed('@napi-rs/image')]
  const file = await photo()
  sharp?.concurrency(1)
  sharp?.cache(false)
  return [320, 1600].flatMap((width) => {
    const contest = { task: 'image.resize', params: { width }, input: lend(file) }
    const ways = /** @type {Contest[]} */ ([])
    if (sharp !== undefined)
      ways.push({ ...contest, peer: 'sharp', rival: () => sharp(file).resize(width).jpeg({ quality: 80 }).toBuffer() })
    if (napi !== undefined)
      ways.push({
        ...contest,
        peer: '@napi-rs/image',
        rival: () => new napi.Transformer(file).resize(width, null, napi.ResizeFilterType.Lanczos3).jpeg(80)
      })
    return ways
  })
}

/** @param {number} scale @returns {Promise<Contest[]>} */
async function tables(scale) {
  await require('../../packages/table').load()
  const lines = ['id,name,city,price,quantity']
  for (let id = 0; id < 100_000 * scale; id++)
    lines.push(`${id},user ${(id * 7919) % 1000},"New York, NY",${(id * 31) % 997}.25,${id % 100}`)
  const text = lines.join('\n')
  const bytes = Buffer.from(text)
  const [polars, papa] = [installed('nodejs-polars'), installed('papaparse')]
  const contest = { task: 'table.csv', input: lend(bytes) }
  const ways = /** @type {Contest[]} */ ([])
  if (polars !== undefined)
    ways.push({ ...contest, peer: 'nodejs-polars, all cores', rival: () => polars.readCSV(bytes) })
  if (papa !== undefined)
    ways.push({ ...contest, peer: 'papaparse', rival: () => papa.parse(text, { header: true, dynamicTyping: true }) })
  return ways
}

/**
 * Those of the packages that are built.
 * @param {number} scale 1, or less for a quick look
 * @param {(task: string) => boolean} wanted
 */
async function companions(scale, wanted) {
  const made = [...(wanted('image.resize') ? [images()] : []), ...(wanted('table.csv') ? [tables(scale)] : [])]
  const found = await Promise.allSettled(made)
  for (const each of found) if (each.status === 'rejected') console.log(String(each.reason.message))
  return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
}

module.exports = { companions, photo }
