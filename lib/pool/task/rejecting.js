'use strict'

// Errors whose stack has the frames of the async functions that await them.

const nothing = () => {}

/**
 * Rejects with an error that is made in a reaction of a promise. The reaction before it gives the caller's promise the
 * time to follow this one, so the stack of the error has the frames of the async functions that await it.
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
