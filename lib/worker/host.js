'use strict'

// The copy of this package that runs an isolate shows itself there under a registered symbol: the script may find
// another copy (a link, a monorepo, two versions, a bundle), and what that gives to it must be of this one.

const path = require('node:path')
const version = require('../version')
const { RspoolError } = require('../errors')

const kHost = Symbol.for('rspool.worker')
/** What copies must agree on to serve each other's scripts: the members of `face`, and what they mean. */
const PROTOCOL = 1

/** @typedef {typeof import('./face')} Face */

/**
 * @typedef {object} Host
 * @property {number} protocol
 * @property {string} version
 * @property {string} root where the package is
 * @property {Face} face
 */

/** This copy runs the isolate. */
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

/** What scripts get here, of whichever copy it is. @returns {Face} */
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
