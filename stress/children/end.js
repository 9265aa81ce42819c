'use strict'

// Ends in the middle of the work. The arguments say how, and after how many milliseconds.

const { busyPool } = require('./busy')

const [how, ms] = process.argv.slice(2)

const ends = {
  exit: () => process.exit(37),
  throw: () => {
    throw new Error('thrown in the middle')
  },
  reject: () => Promise.reject(new Error('thrown in the middle')),
  // Ends in a reaction to a result, while the library's own code is on the stack of the event loop.
  task: () => {
    reaction = ends.throw
  }
}
/** @type {(() => void) | undefined} */
let reaction

busyPool((count) => {
  if (count === 20) setTimeout(ends[how], Number(ms))
  if (reaction !== undefined) queueMicrotask(reaction)
})
busyPool(() => {})
