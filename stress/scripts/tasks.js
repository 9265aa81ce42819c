'use strict'

// The script of the stress cases: tasks that succeed, tasks that fail, and tasks that never end.

module.exports = (value) => value

module.exports.square = (n) => n * n

module.exports.reverse = (bytes) => bytes.toReversed()

module.exports.later = async ({ id, turns }) => {
  for (let i = 0; i < turns; i++) await undefined
  if (turns > 2) await new Promise(setImmediate)
  return { id, turns }
}

module.exports.wait = ({ id, ms }) => new Promise((resolve) => setTimeout(resolve, ms, id))

module.exports.fail = (id) => {
  throw Object.assign(new RangeError(`fails with ${id}`), { code: 'E_STRESS', id })
}

module.exports.exit = (code) => process.exit(code)

module.exports.forever = () => {
  for (;;);
}

module.exports.never = () => new Promise(() => {})
