'use strict'

// Gives each new process a seat in the region, follows it to its end, and clears up after it.

const { RspoolError } = require('../../errors')
const { Handoffs } = require('./handoff')
const { Lines } = require('./lines')
const { Ports, drop } = require('./ports')
const { inheritedSockets } = require('./systemd')
const { SupervisedProcess } = require('./supervised')

/**
 * Row 0 of the cells is the primary's. Then come the spares, since they are few, and then the slots.
 * @param {{ spare: number }} options
 * @param {number} slot
 */
const rowOf = ({ spare }, slot) => 1 + spare + slot

/**
 * The owner of a row, for people: 'primary', 'spare-0', or the number of a slot.
 * @param {{ spare: number }} options
 * @param {number} row
 */
function ownerOf({ spare }, row) {
  return row === 0 ? 'primary' : row <= spare ? `spare-${row - 1}` : row - 1 - spare
}

/**
 * A slot may have a process that serves, one that boots, and several that drain. A spare may have a successor.
 * @param {{ spare: number, maxProcesses: number }} options
 */
const seatsFor = ({ spare, maxProcesses }) => maxProcesses * 3 + spare * 2 + 8

/** Connections that were accepted when the cluster stops are handed over within this time. */
const HAND_OVER = 200

const UNKNOWN_FORM =
  'this version of Node hands connections over in an unknown way: what a dying process has not taken is lost'

class Seats {
  #region
  #maps
  #options
  #names
  #host
  #sockets = inheritedSockets()
  #ports
  #handoffs
  /** @type {Lines|undefined} */
  #lines
  /**
   * The folder of the sockets through which processes relay to each other.
   * @type {import('../sticky/folder').Folder|undefined}
   */
  #folder
  /** @type {Set<SupervisedProcess>} */
  #living = new Set()
  /** @type {number[]} */
  #free

  /**
   * @param {import('../region').SharedRegion} region
   * @param {import('../maps').ClusterMaps} maps
   * @param {import('../options').ClusterOptions} options
   * @param {import('../region').Names} names
   * @param {object} host
   * @param {import('./upkeep').Upkeep} host.upkeep
   * @param {import('../gauges').SharedGauges} host.gauges
   * @param {(name: 'exit' | 'handoff', info: { cause?: import('./causes').Cause }) => void} host.announce
   * @param {(pid: number) => void} host.exited
   * @param {(message: unknown, info: object) => void} host.message
   * @param {(message: unknown, info: object) => unknown} host.request
   * @param {(line: string) => void} host.log
   * @param {() => boolean} host.wanted whether a process is on its way that may listen
   */
  constructor(region, maps, options, names, host) {
    this.#region = region
    this.#maps = maps
    this.#options = options
    this.#names = names
    this.#host = host
    this.#free = Array.from({ length: region.layout.seats.count }, (_, seat) => seat)
    const fresh = this.#keepSessions()
    this.#ports = new Ports(host.wanted, fresh)
    if (options.output !== 'inherit') this.#lines = new Lines(options.output)
    const sessions = fresh && {
      fresh,
      find: (/** @type {import('../sticky/ids').Owner} */ owner) => this.#findOwner(owner)?.worker
    }
    this.#handoffs = options.policy === 'rr' ? new Handoffs(this.#ports, sessions) : undefined
  }

  /** Accepts no more connections. Resolves when the processes have taken the accepted ones. */
  async refuse() {
    await this.#ports.refuse()
    if (this.#handoffs === undefined) return
    // A process that hangs takes none.
    for (const end = performance.now() + HAND_OVER; this.#handoffs.pending > 0 && performance.now() < end; )
      await new Promise(setImmediate)
  }

  /** Resolves when the output of ended processes has been passed on. */
  async passedOn() {
    await this.#lines?.ended()
  }

  /** The cluster has ended: lets go of everything. */
  close() {
    this.#ports.close()
    this.#folder?.remove()
  }

  /** A slot has changed its state, or a process has ended: closes ports that no process will serve again. */
  review() {
    this.#ports.review()
  }

  /**
   * Starts the process of a slot.
   * @param {import('./slot').Slot} slot
   * @param {import('./spec').Spec} spec
   */
  fork(slot, spec) {
    return this.#fork(spec, { slot: slot.id, generation: slot.generation, row: rowOf(this.#options, slot.id) }, slot)
  }

  /**
   * Starts a process that has no slot yet.
   * @param {number} number of the spare
   * @param {import('./spec').Spec} spec
   */
  forkSpare(number, spec) {
    return this.#fork(spec, { slot: undefined, generation: 0, row: 1 + number })
  }

  /**
   * Gives a slot to a process without one.
   * @param {SupervisedProcess} process
   * @param {import('./slot').Slot} slot
   */
  assign(process, slot) {
    const row = rowOf(this.#options, slot.id)
    this.#region.useRow(row)
    process.assign(slot, row)
  }

  /**
   * @param {import('./spec').Spec} spec
   * @param {{ slot: number|undefined, generation: number, row: number }} where
   * @param {import('./slot').Slot} [holder]
   */
  #fork(spec, where, holder) {
    const seat = this.#free.pop()
    if (seat === undefined) throw new RspoolError('ERR_RSPOOL_CLUSTER_FULL', 'too many processes are still draining')
    this.#region.useRow(where.row)
    const { awaitsMain } = spec
    const { requestUrls, limits } = this.#options
    const sticky = this.#folder?.sticky
    const place = {
      ...where,
      seat,
      names: this.#names,
      awaitsMain,
      requestUrls,
      limits,
      sticky,
      maps: this.#maps.places,
      sockets: this.#sockets
    }
    const explain = this.#host.upkeep.explain.bind(this.#host.upkeep)
    const handoffs = this.#handoffs
    const descriptors = [this.#region.native.fd, ...this.#maps.descriptors]
    const parts = { spec, options: this.#options, region: this.#region, descriptors, place, holder, handoffs, explain }
    let process
    try {
      process = new SupervisedProcess(parts)
      this.#ports.follow(process.worker)
      this.#lines?.follow(process.worker.process, process.sender)
    } catch (error) {
      this.#free.push(seat)
      throw error
    }
    this.#host.upkeep.add(process)
    this.#follow(process)
    return process
  }

  /** Prepares for processes that keep sessions. Gives the object that reads the first bytes of accepted connections. */
  #keepSessions() {
    const { sticky, policy } = this.#options
    if (sticky === undefined) return undefined
    const { Folder } = require('../sticky/folder')
    const { whereOf } = require('../sticky/reading')
    this.#folder = new Folder(whereOf(sticky))
    if (policy !== 'rr') return undefined
    const { Fresh } = require('../sticky/fresh')
    const { Ids } = require('../sticky/ids')
    return new Fresh(sticky, new Ids(this.#folder.sticky.key))
  }

  #findOwner(/** @type {import('../sticky/ids').Owner} */ { slot, generation }) {
    return [...this.#living].find(
      (process) => process.slot === slot && process.generation === generation && process.worker.isConnected()
    )
  }

  /** Gives a socket to the process that has its session, or back to the process that sent it. */
  #passOn(
    /** @type {SupervisedProcess} */ sender,
    /** @type {import('../types').HandedOver} */ message,
    /** @type {import('./ports').Handle} */ handle
  ) {
    const owner = this.#findOwner(message)
    const to = owner ?? sender
    if (!to.worker.isConnected()) return void drop(handle)
    const given = { ...message, back: owner === undefined }
    const socket = /** @type {import('node:net').Socket} */ (/** @type {unknown} */ (handle))
    to.worker.process.send(given, socket, {}, () => drop(handle))
  }

  #follow(/** @type {SupervisedProcess} */ process) {
    const { upkeep, gauges, announce, message, request, log } = this.#host
    const { seat, sender, worker, mailbox } = process
    worker.on('listening', () => {
      if (this.#handoffs?.check(worker) === false) log(UNKNOWN_FORM)
    })
    this.#living.add(process)
    process.on('socket', (message, handle) => this.#passOn(process, message, handle))
    process.on('handoff', (settled) => announce('handoff', { ...sender, ...settled }))
    mailbox.onMessage(message)
    mailbox.onRequest(request)
    process.once('exit', (cause) => {
      this.#living.delete(process)
      this.#folder?.gone(process)
      upkeep.remove(process)
      this.#region.native.reclaim(seat)
      this.#maps.retire(seat)
      this.#region.clear(seat)
      const { holder, row } = process
      if (!holder?.processes().some((other) => other !== process)) gauges.clearRow(row)
      this.#free.push(seat)
      if (process.pid !== undefined) this.#host.exited(process.pid)
      if (holder !== undefined) announce('exit', { ...sender, cause })
      setImmediate(() => this.review())
    })
  }
}

module.exports = { Seats, rowOf, ownerOf, seatsFor }
