'use strict'

/** What a message through the port between an owner and one of its isolates is about. */
const PORT_MESSAGE = Object.freeze({
  READY: 0,
  WANT: 1,
  RESULT: 2,
  INPUT: 3,
  GONE: 4,
  PROGRESS: 5,
  FLUSH: 6,
  FLUSHED: 7
})

module.exports = { PORT_MESSAGE }
