'use strict'

// The demo's input: a bounded choice of the files below a folder.

const fs = require('node:fs/promises')
const path = require('node:path')

const leftOut = new Set(['.git', 'target'])

/** @typedef {{ path: string, size: number, text: boolean }} File */

/**
 * Breadth first and by name, so that the same folder gives the same files, and those near its top
 * come before those of its dependencies. Reads each file once: both runs then find it in the
 * system's cache.
 * @param {string} folder
 * @param {{ files: number, bytes: number }} limits
 */
async function chooseFiles(folder, limits) {
  /** @type {File[]} */
  const chosen = []
  const biggest = limits.bytes / 4
  const folders = [folder]
  let bytes = 0
  for (const at of folders) {
    const entries = await fs.readdir(at, { withFileTypes: true }).catch((error) => {
      if (at === folder) throw error
      return []
    })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const place = path.join(at, entry.name)
      if (entry.isDirectory() && !leftOut.has(entry.name)) folders.push(place)
      if (!entry.isFile()) continue
      const { size } = await fs.stat(place)
      if (size === 0 || size > biggest || bytes + size > limits.bytes) continue
      const start = await fs.readFile(place).then(
        (content) => content.subarray(0, 8192),
        () => undefined
      )
      if (start === undefined) continue
      chosen.push({ path: place, size, text: !start.includes(0) })
      bytes += size
      if (chosen.length === limits.files || bytes > limits.bytes * 0.99) return { files: chosen, bytes }
    }
  }
  return { files: chosen, bytes }
}

module.exports = { chooseFiles }
