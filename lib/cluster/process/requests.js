'use strict'

// The requests of this process. They are counted in the region as they begin and end, so no count is lost if the
// process is killed. The region also has the method and URL of the oldest request and of the last one that began: a
// loop that hangs usually hangs in the last.
//
// Every request passes here. So nothing is written twice, and words that only this process writes are not written as
// BigInts.

const { SEAT, REQUEST } = require('../../native/wire')
const { microseconds } = require('../region')

/** @typedef {{ method: string, url: string, began: number }} Request */

/** @type {Request} */
const NONE = { method: '', url: '', began: 0 }

class Requests {
  #region
  #place
  #urls
  /** The requests that have begun and not ended, in this order. @type {Map<object, Request>} */
  #open = new Map()
  #begun = 0
  #errors = 0
  /** The request that the seat names as the oldest. @type {Request|undefined} */
  #oldest
  /** @type {Request|undefined} */
  #last
  /** The requests whose texts are in the two places of the seat, even if they have ended. */
  #texts = [NONE, NONE]

  /**
   * @param {import('../region').SharedRegion} region
   * @param {{ seat: number, row: number }} place the row changes when a spare is given a slot
   * @param {'path'|'full'|false} urls the part of a URL that others may read
   */
  constructor(region, place, urls) {
    this.#region = region
    this.#place = place
    this.#urls = urls
  }

  /** @param {object} key @param {string} method @param {string} url */
  begin(key, method, url) {
    const region = this.#region
    const { seat, row } = this.#place
    const began = microseconds()
    const request = { method, url, began }
    this.#open.set(key, request)
    region.countOwn(row, 'requests')
    region.put(seat, SEAT.REQUESTS, ++this.#begun)
    this.#last = request
    this.#tell(REQUEST.LAST, request)
    if (this.#oldest === undefined) this.#tellOldest()
    // Written last, so that the text of a counted request can be read.
    region.put(seat, SEAT.IN_FLIGHT, this.#open.size)
  }

  /** @param {object} key @param {number|undefined} status of the answer; undefined if there was none */
  end(key, status = 0) {
    const request = this.#open.get(key)
    if (request === undefined) return
    const region = this.#region
    const { seat, row } = this.#place
    this.#open.delete(key)
    region.put(seat, SEAT.IN_FLIGHT, this.#open.size)
    if (status >= 500) {
      region.countOwn(row, 'errors')
      region.put(seat, SEAT.ERRORS, ++this.#errors)
    }
    if (request === this.#last) {
      this.#last = undefined
      region.beginRequest(seat, REQUEST.LAST, 0)
    }
    if (request === this.#oldest) {
      this.#oldest = undefined
      if (this.#open.size > 0) this.#tellOldest()
      else region.beginRequest(seat, REQUEST.OLDEST, 0)
    }
  }

  #tellOldest() {
    // A Map keeps the order of insertion.
    const oldest = this.#open.size === 1 && this.#last !== undefined ? this.#last : this.#open.values().next().value
    if (oldest === undefined) return
    this.#oldest = oldest
    this.#tell(REQUEST.OLDEST, oldest)
  }

  #tell(/** @type {number} */ which, /** @type {Request} */ request) {
    const { seat } = this.#place
    const { method, url } = this.#texts[which]
    if (request.method === method && request.url === url) {
      this.#region.beginRequest(seat, which, request.began)
    } else {
      this.#texts[which] = request
      this.#region.writeRequest(seat, which, this.#textOf(request), request.began)
    }
  }

  #textOf(/** @type {Request} */ { method, url }) {
    if (this.#urls === false) return method
    const end = this.#urls === 'full' ? -1 : url.search(/[?#]/)
    return `${method} ${end === -1 ? url : url.slice(0, end)}`
  }
}

module.exports = { Requests }
