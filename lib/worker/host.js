'use strict'

// The copy of this package that runs an isolate registers itself in the isolate under a symbol. The script may load
// another copy (a link, a monorepo, two versions, a bundle), which must give it the interface of the running copy.

const path = require('node:path')
const version = require('../version')
const { RspoolError } = require('../errors')

const kHost = Symbol.for('rspool.worker')
/**
 * The version of the agreement between copies that serve each other's scripts: the members of `face`, and their
 * meaning.
 */
const PROTOCOL = 1

/** @typedef {typeof import('./face')} Face */

/**
 * @typedef {object} Host
 * @property {number} protocol
 * @property {string} version
 * @property {string} root the folder of the package
 * @property {Face} face
 */

/** Registers this copy as the one that runs the isolate. */
function becomeHost() {
  /** @type {Host} */
  const host = {
    protocol: PROTOCOL,
    version,
    root: root(),
    get face() {
      return require('./face')
    }
  }
  Object.defineProperty(globalThis, kHost, { value: Object.freeze(host) })
}

/** The interface for scripts in this isolate, of whichever copy runs it. @returns {Face} */
function face() {
  const host = /** @type {{ [kHost]?: Host }} */ (globalThis)[kHost]
  if (host === undefined) return require('./face')
  if (host.protocol === PROTOCOL) return host.face
  throw new RspoolError(
    'ERR_RSPOOL_TWO_COPIES',
    `rspool/worker ${version} of ${root()} was loaded in a worker of rspool ${host.version} of ${host.root}, and the two ` +
      "do not understand each other: have the script find the pool's copy of the package, or one of the same version"
  )
}

function root() {
  return path.join(__dirname, '..', '..')
}

module.exports = { becomeHost, face }
