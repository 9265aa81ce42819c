'use strict'

// Values for another machine: JSON that a person can read, with a tag for what JSON has no word for, and the
// bytes beside it. What `structuredClone` gives for a value is what the other machine gets, or the call is
// refused; a small Buffer takes its own bytes along, never those of its neighbours in Node's slab. Version 1.
//
// What JSON cannot say is an object with the one key `$`: an array of the kind and what it is made of. Objects
// count from 0 in the order in which they begin, so a second mention is `ref` and a number. Nothing is looked up
// by a name from outside, and no prototype is ever set from there.

const { malformed } = require('./kinds')

module.exports = { malformed, ...require('./encode'), ...require('./decode'), ...require('./pack') }
