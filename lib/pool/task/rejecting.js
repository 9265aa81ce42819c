'use strict'

// Errors whose stack has the frames of the async functions that wait for them.

const nothing = () => {}

/**
 * Rejects with an error that is made in a reaction of a promise that the caller's follows by then (a
 * reaction before it gives it the time to): its stack has the frames of the async functions that wait.
 * @param {(reaction: Function) => unknown} make
 * @returns {Promise<never>}
 */
function rejecting(make) {
  return Promise.resolve()
    .then(nothing)
    .then(function reaction() {
      throw make(reaction)
    })
}

module.exports = { rejecting }
