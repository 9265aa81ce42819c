'use strict'

// How stores use a limit of the cluster.

const { invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')

/**
 * @typedef {import('../../types/locks').Limit} Limit
 * @typedef {import('../../types/locks').Taken} Taken
 */

/** Takes a limit of whatever copy of the package. @param {Limit} limit @param {string} store */
function assertLimit(limit, store) {
  if (typeof limit?.take === 'function' && typeof limit.burst === 'number') return limit
  throw invalidArgument(
    `${store}: the first argument must be a limit of the cluster, as context.limits.api, got ${show(limit)}`
  )
}

/**
 * Milliseconds until all points have been earned back or, after a refusal, until a point can be taken.
 * @param {Limit} limit
 * @param {Taken} taken
 */
function wait({ points, per, burst }, { ok, remaining, retryAfterMs }) {
  return ok ? Math.ceil(((burst - remaining) * per) / points) : retryAfterMs
}

module.exports = { assertLimit, wait }
