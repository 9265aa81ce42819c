'use strict'

// Values for another machine: readable JSON, with a tag for values that JSON does not have, and the bytes beside it.
// The other machine gets the same value as from `structuredClone`, or the call is refused. A small Buffer takes only
// its own bytes along, never those of its neighbours in the slab of Node.js. Version 1.
//
// A value that JSON does not have is an object with the single key `$`: an array of the kind and its parts. Objects
// count from 0 in the order in which they begin, so a second mention is `ref` and a number. No function or class is
// looked up by a name from outside, and no prototype is ever set from outside.

const { malformed } = require('./kinds')

module.exports = { malformed, ...require('./encode'), ...require('./decode'), ...require('./pack') }
