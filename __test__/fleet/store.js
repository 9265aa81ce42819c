'use strict'

// A store of the user's, as one over S3 would be: files in a folder, which each side loads for itself.

const fs = require('node:fs/promises')
const os = require('node:os')
const path = require('node:path')

const folder = process.env.STORE_FOLDER ?? path.join(os.tmpdir(), `rspool-store-${process.pid}`)

module.exports = {
  folder,
  put: async (/** @type {string} */ key, /** @type {Uint8Array} */ bytes) => {
    await fs.mkdir(folder, { recursive: true })
    await fs.writeFile(path.join(folder, key), bytes)
  },
  get: async (/** @type {string} */ key) => fs.readFile(path.join(folder, key)).catch(() => undefined),
  delete: async (/** @type {string} */ key) => fs.rm(path.join(folder, key), { force: true })
}
