'use strict'

// The numbers by which a pool's tasks name their functions. They belong to the pool. A function keeps its number until
// it was not found, or until too many newer ones came. The scheduler keeps each text as long as a task names it.

const { MapClass, mapDelete, mapGet, mapSet } = require('../../native/primordials')
const { TARGET } = require('../../native/wire')
const { describeTarget } = require('../observe/describe-target')
const { Bounded } = require('./bounded')

/** @typedef {InstanceType<typeof import('./targets').Target>} Target */

class Numbers {
  #pool
  #own
  /** @type {Map<string, number>} */
  #byText = new MapClass()
  /** @type {Bounded<number, Target>} */
  #known
  /** The last target: most calls name the same one as the call before. @type {Target | undefined} */
  #last
  /** @type {number} */
  #lastNumber = TARGET.OWN

  /**
   * @param {import('../../native/addon').NativePool} pool
   * @param {Target | undefined} own the target of its `run`
   */
  constructor(pool, own) {
    this.#pool = pool
    this.#own = own?.text
    if (own !== undefined) pool.setOwnTarget(own.text, describeTarget(own).task)
    this.#known = new Bounded((number, { text }) => {
      mapDelete(this.#byText, text)
      this.#last = undefined
      pool.forgetTarget(number)
    })
  }

  /**
   * The number of a target, for the task that is submitted next. Later the number may belong to another target. After
   * the first time that a target is named, no code of the user runs here.
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
      mapSet(this.#byText, text, number)
      this.#known.add(number, target, text.length)
    }
    return number
  }

  /**
   * An isolate has not found the function of this number.
   * @param {number} number
   * @returns {Target | undefined} the target that had the number
   */
  forget(number) {
    const target = this.#known.get(number)
    this.#known.drop(number)
    return target
  }
}

module.exports = { Numbers }
