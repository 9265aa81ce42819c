'use strict'

// The names of the user's counters, gauges and histograms in the text for Prometheus, where each family may appear
// once. A number distinguishes names that are the same there ('a.b' and 'a_b').

/** @typedef {'counter'|'gauge'|'histogram'} Kind */

/** The suffixes that the samples of a family add to its name. @type {Record<Kind, string[]>} */
const SUFFIXES = { counter: [''], gauge: [''], histogram: ['', '_bucket', '_sum', '_count'] }

/** @param {string} name */
const clean = (name) => name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_')

/**
 * @param {Record<Kind, string[]>} names
 * @param {Iterable<string>} taken families that exist already
 * @returns {(kind: Kind, name: string) => string} the family of a name
 */
function planFamilies(names, taken) {
  const used = new Set(taken)
  /** @type {Map<string, string>} */
  const families = new Map()
  const all = /** @type {Kind[]} */ (Object.keys(SUFFIXES)).flatMap((kind) =>
    names[kind].map((name) => ({ kind, name }))
  )
  // Names that need no change keep their own name.
  const changed = (/** @type {{ name: string }} */ { name }) => Number(clean(name) !== name)
  for (const { kind, name } of all.sort((one, other) => changed(one) - changed(other))) {
    const end = kind === 'counter' ? '_total' : ''
    const samples = (/** @type {string} */ family) => SUFFIXES[kind].map((suffix) => family + suffix)
    let family = clean(name) + end
    for (let number = 2; samples(family).some((sample) => used.has(sample)); number++)
      family = `${clean(name)}_${number}${end}`
    for (const sample of samples(family)) used.add(sample)
    families.set(`${kind} ${name}`, family)
  }
  return (kind, name) => families.get(`${kind} ${name}`) ?? clean(name)
}

module.exports = { planFamilies }
