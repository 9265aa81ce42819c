'use strict'

// Gives each new process a seat in the region, follows it to its end, and clears up after it.

const { RspoolError } = require('../errors')
const { Handoffs } = require('./handoff')
const { Ports } = require('./ports')
const { InheritedSockets } = require('./systemd')
const { SupervisedProcess } = require('./supervised')

/** Row 0 of the cells is the primary's own. @param {number} slot */
const rowOf = (slot) => slot + 1

/**
 * A slot may have a process that serves, one that boots and some that drain.
 * @param {number} slots
 */
const seatsFor = (slots) => slots * 3 + 8

const UNKNOWN_FORM =
  'this version of Node hands connections over in an unknown way: what a dying process has not taken is lost'

class Seats {
  #region
  #options
  #names
  #host
  #sockets = new InheritedSockets()
  #ports
  #handoffs
  /** @type {number[]} */
  #free

  /**
   * @param {import('./region').SharedRegion} region
   * @param {any} options
   * @param {object} names
   * @param {object} host
   * @param {import('./upkeep').Upkeep} host.upkeep
   * @param {import('./gauges').SharedGauges} host.gauges
   * @param {(name: string, info: any) => void} host.announce
   * @param {(message: any, info: any) => void} host.message
   * @param {(message: any, info: any) => unknown} host.request
   * @param {(line: string) => void} host.log
   * @param {() => boolean} host.wanted is a process on its way that may listen?
   */
  constructor(region, options, names, host) {
    this.#region = region
    this.#options = options
    this.#names = names
    this.#host = host
    this.#free = Array.from({ length: region.layout.seatCount }, (_, seat) => seat)
    this.#ports = new Ports(host.wanted)
    this.#handoffs = options.policy === 'rr' ? new Handoffs(this.#ports) : undefined
  }

  /** A slot changed its state, or a process has gone: ports that nobody will serve again are closed. */
  review() {
    this.#ports.review()
  }

  /**
   * Starts a process.
   * @param {import('./slot').Slot} slot
   * @param {any} spec
   */
  fork(slot, spec) {
    const seat = this.#free.pop()
    if (seat === undefined) throw new RspoolError('ERR_RSPOOL_CLUSTER_FULL', 'too many processes are still draining')
    const row = rowOf(slot.id)
    this.#region.useRow(row)
    const { id, generation } = slot
    const { awaitsMain } = spec
    const place = { slot: id, generation, seat, row, names: this.#names, awaitsMain, sockets: this.#sockets.list() }
    const explain = this.#host.upkeep.explain.bind(this.#host.upkeep)
    const parts = { spec, options: this.#options, region: this.#region, place, handoffs: this.#handoffs, explain }
    let process
    try {
      process = new SupervisedProcess(parts)
      this.#ports.follow(process.worker)
    } catch (error) {
      this.#free.push(seat)
      throw error
    }
    this.#host.upkeep.add(process)
    this.#follow(process, slot, row)
    return process
  }

  #follow(
    /** @type {SupervisedProcess} */ process,
    /** @type {import('./slot').Slot} */ slot,
    /** @type {number} */ row
  ) {
    const { upkeep, gauges, announce, message, request, log } = this.#host
    const { seat, pid, generation, worker, mailbox } = process
    const where = { slot: slot.id, pid, generation }
    worker.on('listening', () => {
      if (this.#handoffs?.check(worker) === false) log(UNKNOWN_FORM)
    })
    process.on('handoff', (settled) => announce('handoff', { ...where, ...settled }))
    mailbox.onMessage(message)
    mailbox.onRequest(request)
    process.once('exit', (cause) => {
      upkeep.remove(process)
      this.#region.native.reclaim(seat)
      this.#region.clear(seat)
      if (!slot.processes().some((other) => other !== process)) gauges.clearRow(row)
      this.#free.push(seat)
      announce('exit', { ...where, cause })
      setImmediate(() => this.review())
    })
  }
}

module.exports = { Seats, rowOf, seatsFor }
