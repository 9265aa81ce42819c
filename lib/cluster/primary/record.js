'use strict'

// Writes the supervisor's knowledge into the region, for programs outside of the cluster. They can read it even while
// the primary hangs.

const { SLOT, SHARED } = require('../../native/wire')
const { SLOT_STATES, PHASES, microseconds } = require('../region')

const WRITE_EVERY = 250

class Record {
  #region
  #slots
  #timer
  /** The states and causes that have been written. @type {Map<number, { state: string, cause: object|undefined }>} */
  #written = new Map()

  /**
   * @param {import('../region').SharedRegion} region
   * @param {() => import('./slot').Slot[]} slots
   */
  constructor(region, slots) {
    this.#region = region
    this.#slots = slots
    region.setShared(SHARED.PRIMARY, process.pid)
    this.write()
    this.#timer = setInterval(() => this.write(), WRITE_EVERY)
    this.#timer.unref()
  }

  /** @param {number} size */
  size(size) {
    this.#region.setShared(SHARED.SIZE, size)
  }

  /** @param {'running'|'stopping'|'stopped'} phase */
  phase(phase) {
    this.#region.setShared(SHARED.PHASE, PHASES[phase])
  }

  /** @param {boolean} open whether the admin socket is */
  admin(open) {
    this.#region.setShared(SHARED.ADMIN, open ? 1 : 0)
  }

  /** A reload has ended. @param {boolean} done false if it was given up */
  reloaded(done) {
    const word = done ? SHARED.RELOADED : SHARED.RELOADS_FAILED
    this.#region.setShared(word, this.#region.getShared(word) + 1)
  }

  /** Writes all slots, and the time of this turn of the primary's loop. */
  write() {
    this.#region.setShared(SHARED.PRIMARY_BEAT, microseconds())
    for (const slot of this.#slots()) this.#slot(slot)
  }

  #slot(/** @type {import('./slot').Slot} */ { id, state, generation, restarts, causes }) {
    const region = this.#region
    const cause = causes.at(-1)
    const before = this.#written.get(id)
    region.setSlot(id, SLOT.GENERATION, generation)
    region.setSlot(id, SLOT.RESTARTS, restarts)
    if (cause !== undefined && before?.cause !== cause) region.setCause(id, cause.message)
    if (before?.state !== state) {
      region.setSlot(id, SLOT.STATE, SLOT_STATES[state])
      region.setSlot(id, SLOT.CHANGED, microseconds())
    }
    this.#written.set(id, { state, cause })
  }

  close() {
    clearInterval(this.#timer)
    this.write()
  }
}

module.exports = { Record }
