'use strict'

// How the figures are taken. Contestants take turns in every round, and the medians of ratios within a round are
// compared, so that noise which comes and goes affects all contestants.

/** @param {number[]} values @param {number} p from 0 to 1 */
function percentile(values, p) {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(Math.floor(sorted.length * p), sorted.length - 1)]
}

/** @param {number[]} values */
function median(values) {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * The interval in which the median lies with a confidence of 90 %, by resampling.
 * @param {number[]} values
 * @returns {[low: number, high: number]}
 */
function interval(values) {
  const medians = Array.from({ length: 2000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)]))
  )
  return [percentile(medians, 0.05), percentile(medians, 0.95)]
}

/**
 * Keeps `inFlight` calls going for `ms` milliseconds. Gives the calls per second.
 * @param {(i: number) => Promise<unknown>} call
 * @param {{ inFlight: number, ms: number }} how
 */
async function flood(call, { inFlight, ms }) {
  let made = 0
  let ended = false
  const start = performance.now()
  const deadline = start + ms
  const caller = async () => {
    while (!ended) {
      await call(made++)
      if ((made & 15) === 0 && performance.now() >= deadline) ended = true
      else if (inFlight < 16 && performance.now() >= deadline) ended = true
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return made / ((performance.now() - start) / 1000)
}

/**
 * The time of each call in milliseconds, if calls are made one after another.
 * @param {(i: number) => Promise<unknown>} call
 * @param {number} ms
 */
async function latencies(call, ms) {
  const times = []
  const deadline = performance.now() + ms
  for (let at = performance.now(); at < deadline; ) {
    await call(times.length)
    const end = performance.now()
    times.push(end - at)
    at = end
  }
  return times
}

/**
 * Gives each contestant a turn in every round. Each round begins with another contestant. The first round warms up and
 * does not count.
 * @template T
 * @param {{ name: string }[]} contestants
 * @param {number} rounds
 * @param {(contestant: any, round: number) => Promise<T> | T} turn
 * @returns {Promise<Map<string, T[]>>} the samples by name, one per round
 */
async function alternate(contestants, rounds, turn) {
  const samples = new Map(contestants.map(({ name }) => [name, /** @type {T[]} */ ([])]))
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(i + round + 1) % contestants.length]
      const sample = await turn(contestant, round)
      if (round >= 0) samples.get(contestant.name)?.push(sample)
    }
  }
  return samples
}

/**
 * `one / other` of each round.
 * @param {number[]} one
 * @param {number[]} other
 */
function ratios(one, other) {
  return one.map((value, round) => value / other[round])
}

/**
 * The median of `one / other` over the rounds.
 * @param {number[]} one
 * @param {number[]} other
 */
function ratio(one, other) {
  return median(ratios(one, other))
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

module.exports = { percentile, median, interval, flood, latencies, alternate, ratio, ratios, sleep }
