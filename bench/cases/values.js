'use strict'

const assert = require('node:assert')
const { alternate, flood, interval, median, ratios } = require('../lib/measure')
const { UNITS, short, target } = require('../lib/report')
const { withRivals } = require('../lib/rivals')
const { specimens } = require('../lib/specimens')

const IN_FLIGHT = [1, 16]
/** With fewer rounds, the interval is too wide to tell anything. */
const ROUNDS = 15

/** @typedef {import('../lib/rivals').Contestant} Contestant */
/** @typedef {typeof specimens[number]} Specimen */

/**
 * Sends the value there and back. For a moved value there is a buffer for each call that can be in flight, and each buffer
 * is moved again and again.
 * @param {Contestant} contestant
 * @param {Specimen} specimen
 */
function callOf({ echo, bounce }, { value, moved }) {
  if (!moved) return () => echo(value)
  const free = Array.from({ length: Math.max(...IN_FLIGHT) }, () => structuredClone(value))
  return async () => free.push(await bounce(/** @type {any} */ (free.pop())))
}

/**
 * @param {Contestant[]} contestants
 * @param {Specimen} specimen
 * @param {{ rounds: number, ms: number, inFlight: number }} how
 */
async function compare(contestants, specimen, { rounds, ms, inFlight }) {
  const calls = contestants.map((contestant) => ({ name: contestant.name, call: callOf(contestant, specimen) }))
  const samples = await alternate(calls, rounds, async ({ call }) => 1000 / (await flood(call, { inFlight, ms })))
  const [own, peer] = ['rspool', 'piscina'].map((name) => /** @type {number[]} */ (samples.get(name)))
  const all = ratios(own, peer)
  const [low, high] = interval(all)
  return { own, peer, ratio: median(all), low, high, inFlight, missed: low > specimen.limit }
}

module.exports = {
  title: 'Values there and back',
  what: 'The time of a call with each kind of value, over piscina’s: the median of the rounds, and where it lies with a confidence of 90 %. A value misses its target if all of that is above. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds, quick, part }) =>
    withRivals(
      2,
      async (contestants) => {
        const { show } = UNITS.ms
        const lines = [['', ...IN_FLIGHT.flatMap((n) => [`${n} in flight`, 'piscina', 'ratio', '90 %']), 'target', '']]
        const details = []
        const missed = []
        for (const specimen of specimens.filter(
          ({ name }) => part === undefined || part.split(',').some((each) => name.includes(each))
        )) {
          for (const { name, echo } of contestants)
            if (!specimen.moved)
              assert.deepStrictEqual(await echo(specimen.value), structuredClone(specimen.value), name)
          const results = []
          for (const inFlight of IN_FLIGHT) {
            const how = { rounds: quick ? 5 : Math.max(rounds, ROUNDS), ms: quick ? 10 : 30, inFlight }
            results.push(await compare(contestants, specimen, how))
          }
          const isMissed = results.some((result) => result.missed)
          if (isMissed) missed.push(specimen.name)
          details.push({ name: specimen.name, limit: specimen.limit, results })
          lines.push([
            specimen.name,
            ...results.flatMap(({ own, peer, ratio, low, high }) => [
              show(median(own)),
              show(median(peer)),
              short(ratio),
              `${short(low)}–${short(high)}`
            ]),
            `≤ ${specimen.limit}`,
            isMissed ? 'MISS' : 'pass'
          ])
        }
        const text =
          missed.length === 0 ? 'values above their target' : `values above their target (${missed.join(', ')})`
        return {
          tables: [{ lines }],
          targets: [target(text, missed.length, { atMost: 0 }, 'count')],
          details
        }
      },
      ['rspool', 'piscina']
    )
}
