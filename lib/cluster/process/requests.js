'use strict'

// The requests of this process: counted in the region as they begin and end, so that a process that is killed
// takes no count along, and the oldest and the last begun with what they ask for: a loop that hangs usually
// does so in the last.

const { SEAT, REQUEST, microseconds } = require('../region')

/** @typedef {{ text: string, began: number }} Request */

class Requests {
  #region
  #place
  #urls
  /** Begun and not ended, in this order. @type {Map<object, Request>} */
  #open = new Map()
  /** What the seat says. @type {Request|undefined} */
  #oldest
  /** @type {Request|undefined} */
  #last

  /**
   * @param {import('../region').SharedRegion} region
   * @param {{ seat: number, row: number }} place the row changes when a spare is given a slot
   * @param {'path'|'full'|false} urls what of a URL others may read
   */
  constructor(region, place, urls) {
    this.#region = region
    this.#place = place
    this.#urls = urls
  }

  /** How many are open. */
  get inFlight() {
    return this.#open.size
  }

  /** @param {object} key @param {string} method @param {string} url */
  begin(key, method, url) {
    const { seat, row } = this.#place
    const request = { text: this.#text(method, url), began: microseconds() }
    this.#open.set(key, request)
    this.#region.countOwn(row, 'requests')
    this.#region.add(seat, SEAT.requests, 1n)
    this.#region.add(seat, SEAT.inFlight, 1n)
    this.#last = request
    this.#region.writeRequest(seat, REQUEST.last, request)
    if (this.#oldest === undefined) this.#setOldest(request)
  }

  /** @param {object} key @param {number|undefined} status of the answer; none when there was none */
  end(key, status = 0) {
    const request = this.#open.get(key)
    if (request === undefined) return
    const { seat, row } = this.#place
    this.#open.delete(key)
    this.#region.add(seat, SEAT.inFlight, -1n)
    if (status >= 500) {
      this.#region.countOwn(row, 'errors')
      this.#region.add(seat, SEAT.errors, 1n)
    }
    if (request === this.#last) {
      this.#last = undefined
      this.#region.writeRequest(seat, REQUEST.last, undefined)
    }
    // A Map keeps its order: the first is the oldest.
    if (request === this.#oldest) this.#setOldest(this.#open.values().next().value)
  }

  #setOldest(/** @type {Request|undefined} */ request) {
    this.#oldest = request
    this.#region.writeRequest(this.#place.seat, REQUEST.oldest, request)
  }

  #text(/** @type {string} */ method, /** @type {string} */ url) {
    if (this.#urls === false) return method
    const end = this.#urls === 'full' ? -1 : url.search(/[?#]/)
    return `${method} ${end === -1 ? url : url.slice(0, end)}`
  }
}

module.exports = { Requests }
