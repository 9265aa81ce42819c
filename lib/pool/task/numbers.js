'use strict'

// The numbers by which a pool's tasks name their functions. They belong to the pool: what many calls name keeps
// its number, what was not found or is long past loses it, and the scheduler keeps each text as long as a task
// names it.

const { mapGet } = require('../../native/primordials')
const { TARGET } = require('../../native/wire')
const { describeTarget } = require('../observe/describe-target')
const { Bounded } = require('./bounded')

/** @typedef {InstanceType<typeof import('./targets').Target>} Target */

class Numbers {
  #pool
  #own
  /** @type {Map<string, number>} */
  #byText = new Map()
  /** @type {Bounded<number, Target>} */
  #known
  /** Most calls name what the last one did. @type {Target | undefined} */
  #last
  /** @type {number} */
  #lastNumber = TARGET.OWN

  /**
   * @param {import('../../native/addon').NativePool} pool
   * @param {Target | undefined} own what its `run` calls
   */
  constructor(pool, own) {
    this.#pool = pool
    this.#own = own?.text
    if (own !== undefined) pool.setOwnTarget(own.text, describeTarget(own).task)
    this.#known = new Bounded((number, { text }) => {
      this.#byText.delete(text)
      this.#last = undefined
      pool.forgetTarget(number)
    })
  }

  /**
   * For the task that is submitted next: the number may be another's later.
   * @param {Target} target of the script lane
   */
  of(target) {
    if (target === this.#last) return this.#lastNumber
    const number = this.#look(target)
    this.#last = target
    return (this.#lastNumber = number)
  }

  /** @param {Target} target */
  #look(target) {
    const { text } = target
    if (text === this.#own) return TARGET.OWN
    let number = mapGet(this.#byText, text)
    if (number === undefined) {
      number = this.#pool.addTarget(text, describeTarget(target).task)
      this.#byText.set(text, number)
      this.#known.add(number, target, text.length)
    }
    return number
  }

  /**
   * An isolate has not found it.
   * @param {number} number
   * @returns {Target | undefined} what it was
   */
  forget(number) {
    const target = this.#known.get(number)
    this.#known.drop(number)
    return target
  }
}

module.exports = { Numbers }
