'use strict'

// The platforms that a package is published for, from the table `napi.targets` of package.json.

const { napi } = require('../../package.json')

/** @type {Record<string, string>} */
const CPUS = { x86_64: 'x64', aarch64: 'arm64' }
/** @type {Record<string, string>} */
const SYSTEMS = { linux: 'linux', darwin: 'darwin', windows: 'win32' }
/** What npm calls them. @type {Record<string, string>} */
const LIBCS = { gnu: 'glibc', musl: 'musl' }

/** @typedef {{ target: string, tuple: string, os: string, cpu: string, libc: string | undefined }} Platform */

/** @param {string} target as Rust names it @returns {Platform} */
function platformOf(target) {
  const [arch, , system, abi] = target.split('-')
  const [os, cpu] = [SYSTEMS[system], CPUS[arch]]
  if (os === undefined || cpu === undefined) throw new Error(`${target} is a target that Node.js has no name for`)
  return { target, tuple: [os, cpu, abi].filter(Boolean).join('-'), os, cpu, libc: LIBCS[abi] }
}

/** The name by which npm and the loader know a target. @param {string} target */
function tupleOf(target) {
  return platformOf(target).tuple
}

/** @returns {Platform[]} */
function platforms() {
  return napi.targets.map(platformOf)
}

module.exports = { platforms, tupleOf }
