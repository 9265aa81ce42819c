'use strict'

// Names the platform as the prebuilt packages do: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`.

const fs = require('node:fs')

/**
 * The C library of an ELF executable, from its first bytes, which name its interpreter.
 * @param {Buffer} head
 * @returns {'gnu' | 'musl' | undefined}
 */
function libcOfExecutable(head) {
  if (head.includes('/ld-musl-')) return 'musl'
  if (head.includes('/ld-linux') || head.includes('/ld64.so')) return 'gnu'
  return undefined
}

function executableHead() {
  const head = Buffer.alloc(4096)
  try {
    const file = fs.openSync('/proc/self/exe', 'r')
    try {
      return head.subarray(0, fs.readSync(file, head, 0, head.length, 0))
    } finally {
      fs.closeSync(file)
    }
  } catch {
    return head.subarray(0, 0)
  }
}

/** @typedef {{ excludeNetwork: boolean, getReport: () => { header: { glibcVersionRuntime?: string } } }} Report */

/**
 * The process report also tells, but takes milliseconds, and resolves the peers of open sockets unless told not to.
 * @returns {'gnu' | 'musl'}
 */
function libcOfReport() {
  const report = /** @type {Report | undefined} */ (/** @type {unknown} */ (process.report))
  if (report === undefined) return 'gnu'
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    return report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
  } finally {
    report.excludeNetwork = before
  }
}

/** The C library of this process; undefined on platforms that have only one. */
function libc() {
  return process.platform === 'linux' ? (libcOfExecutable(executableHead()) ?? libcOfReport()) : undefined
}

function platformTuple() {
  const abi = process.platform === 'win32' ? 'msvc' : libc()
  return [process.platform, process.arch, abi].filter(Boolean).join('-')
}

module.exports = { platformTuple, libc, libcOfExecutable, libcOfReport }
