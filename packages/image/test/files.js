'use strict'

// Images for the tests, made here.

const { deflateSync } = require('node:zlib')
const { runTaskSync } = require('rspool')

/**
 * A PNG of RGB pixels.
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => [number, number, number]} colour
 */
function png(width, height, colour) {
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set(colour(x, y), y * (1 + width * 3) + 1 + x * 3)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0))
  ])
}

/**
 * @param {string} type
 * @param {Buffer} data
 */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  size.writeUInt32BE(data.length)
  sum.writeUInt32BE(runTaskSync('hash.crc32', body))
  return Buffer.concat([size, body, sum])
}

/** Colours that go slowly from one to the other, with a pattern. @type {(x: number, y: number) => [number, number, number]} */
const slope = (x, y) => [x & 255, y & 255, (x ^ y) & 255]

module.exports = { png, slope }
