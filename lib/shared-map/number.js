'use strict'

// The shared map that the input of a native task stands for: a SharedMap, or what its share() gave. The native call that
// takes the input gets the number of the map.

const { invalidArgument } = require('../errors')
const { bound } = require('../native/environment')

/** Marks what share() gives. */
const TYPE = 'rspool.map'

/** @type {WeakMap<object, import('../native/addon').NativeMap>} */
const opened = new WeakMap()

/** @param {object} map a SharedMap @param {import('../native/addon').NativeMap} native */
function remember(map, native) {
  opened.set(map, native)
}

/**
 * The number of a map; undefined for any other value.
 * @param {object} value
 * @returns {number | undefined}
 */
function numberOf(value) {
  const native = opened.get(value)
  if (native !== undefined) return native.share(false)
  const { type, map } = /** @type {{ type?: unknown, map?: unknown }} */ (value)
  if (type !== TYPE) return undefined
  if (typeof map === 'number' && bound.hasMap?.(map)) return map
  throw invalidArgument(
    'The input has the handle of a shared map that this process does not have: share() is for threads of one process'
  )
}

module.exports = { TYPE, remember, numberOf }
