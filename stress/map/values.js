'use strict'

// Values that show by themselves whether they are whole. Each is made of its name and its number alone, so a reader can
// make the value again and compare all of it.

const { isDeepStrictEqual } = require('node:util')

const TEXT = Array.from({ length: 3000 }, (_, n) => (n * n * 7919).toString(36)).join('')

/** The length of a value: mostly of one block, often of some, and now and then of a hundred. @param {number} mixed */
function lengthOf(mixed) {
  const kind = mixed % 32
  if (kind === 0) return 11_000 + (mixed % 200)
  if (kind < 6) return 150 + (mixed % 400)
  return mixed % 80
}

/**
 * @param {string} name
 * @param {number} number
 * @returns {unknown}
 */
function make(name, number) {
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 3
  const from = mixed % 1000
  const fill = TEXT.slice(from, from + lengthOf(mixed))
  const text = `${name} ${number} ${fill}`
  switch (number % 11) {
    case 1:
      return `${text} ż 🙂`
    case 2:
      return { name, number, fill, list: [number, number + 0.5] }
    default:
      return text
  }
}

/** The name and the number of a value. @param {unknown} value @returns {{ name: string, number: number }} */
function labelOf(value) {
  if (typeof value === 'object' && value !== null) return /** @type {any} */ (value)
  const [name, number] = String(value).split(' ', 2)
  return { name, number: Number(number) }
}

/** The number of a value. Throws if the value is torn, or has another name. @param {string} name @param {unknown} value */
function numberOf(name, value) {
  const label = labelOf(value)
  const whole = make(label.name, label.number)
  const same = typeof value === 'string' ? value === whole : isDeepStrictEqual(value, whole)
  if (!same || label.name !== name) throw new Error(`torn: ${name} has ${JSON.stringify(value)?.slice(0, 200)}`)
  return label.number
}

module.exports = { make, numberOf }
