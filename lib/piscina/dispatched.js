'use strict'

// For users that choose the next task or its thread themselves, by a queue or a load balancer of their own, or that let
// tasks share a thread, where an abortable task must be alone. Each thread is a pool of one worker. The main thread
// gives out the tasks, as piscina does.

const { listen } = require('../pool/task/abort')
const { later } = require('../later')
const { hold, release, soon } = require('../native/environment')
const { AbortError, queueFull, terminated } = require('./errors')
const { Times } = require('./histogram')
const { Thread } = require('./thread')
const { kThread } = require('./view')

/** @typedef {InstanceType<typeof import('./call').Call>} Call */

/**
 * The default balancer: an idle thread, or else the least busy thread that has room.
 * @param {number} room
 * @returns {import('./types').Balancer}
 */
function leastBusy(room) {
  return (task, workers) => {
    let best = null
    for (const worker of workers) {
      const { currentUsage } = worker
      if (currentUsage === 0) return worker
      if (task.isAbortable || worker.isRunningAbortableTask || currentUsage >= room) continue
      if (best === null || currentUsage < best.currentUsage) best = worker
    }
    return best
  }
}

class Dispatched {
  #options
  #owner
  #queue
  #balance
  /** Abortable tasks that no thread could take yet. @type {Call[]} */
  #passed = []
  /** @type {Set<Thread>} */
  #threads = new Set()
  #closing = false
  #ended = false
  /** Whether the last attempt to start a thread failed. */
  #broken = false
  /** @type {() => void} */
  #resolveIdle = () => {}

  /**
   * @param {import('./types').Options} options of the piscina
   * @param {import('./types').Owner} owner
   */
  constructor(options, owner) {
    this.#options = options
    this.#owner = owner
    this.#queue = options.taskQueue
    this.#balance = options.loadBalancer ?? leastBusy(options.concurrentTasksPerWorker)
    this.timing = { wait: new Times(), run: new Times() }
    /** @type {import('./thread').Events} */
    this.events = {
      ready: (thread) => this.#ready(thread),
      done: (thread, call, failed, value) => this.#done(thread, call, failed, value),
      exited: (thread) => this.#exited(thread),
      message: (message) => owner.emit('message', message),
      complain: (error) => owner.complain(error)
    }
    while (this.#threads.size < options.minThreads) this.#start(true)
  }

  // ---- tasks -----------------------------------------------------------------------------------

  /** @param {Call} call */
  submit(call) {
    const { maxQueue, maxThreads } = this.#options
    // A task that waits here keeps the process alive, too.
    hold()
    call.promise.then(release, release)
    if (this.#queue.size > 0) {
      if (this.#queue.size >= maxQueue + this.#expected) return this.#settle(call, true, queueFull(maxQueue))
      this.#queue.push(call)
      if (this.#threads.size < maxThreads) this.#start(false)
    } else if (
      !this.#give(
        call,
        [...this.#threads].filter(({ ready }) => ready)
      )
    ) {
      if (this.#threads.size < maxThreads) this.#start(false)
      if (maxQueue <= 0 && this.#expected === 0) {
        this.#withdraw(call)
        return this.#settle(call, true, queueFull(maxQueue))
      }
    }
    if (call.signal !== null) {
      const unlisten = listen(call.signal, (reason) => this.#abort(call, reason))
      call.promise.then(unlisten, unlisten)
    }
  }

  /** How many tasks the starting threads will take. */
  get #expected() {
    let starting = 0
    for (const { ready } of this.#threads) if (!ready) starting++
    return starting * this.#options.concurrentTasksPerWorker
  }

  /**
   * Gives a task to the thread that the balancer chooses, or back to the queue.
   * @param {Call} call
   * @param {Thread[]} threads
   */
  #give(call, threads) {
    if (call.settled) return true
    // Balancers are not called without threads.
    if (threads.length === 0) {
      this.#takeBack(call)
      return false
    }
    const chosen = this.#balance(
      call.interface,
      threads.map(({ view }) => view)
    )
    const thread = chosen?.[kThread]
    if (thread === undefined || thread.destroyed) {
      this.#takeBack(call)
      return false
    }
    this.timing.wait.record(performance.now() - call.created)
    thread.post(call)
    return true
  }

  /**
   * Puts a task back: at the tail, so that other tasks may find a thread, or at the head, if the order counts more.
   * @param {Call} call
   */
  #takeBack(call) {
    const queue = call.isAbortable ? this.#passed : this.#queue
    if (this.#options.stricterFIFO && typeof queue.unshift === 'function') queue.unshift(call)
    else queue.push(call)
  }

  /** @param {Call} call */
  #withdraw(call) {
    this.#queue.remove(call)
    this.#passed = this.#passed.filter((other) => other !== call)
  }

  /** Gives out waiting tasks, as far as the balancer finds threads for them. */
  #giveOut() {
    while (this.#passed.length > 0 || this.#queue.size > 0) {
      const call = this.#passed.shift() ?? this.#queue.shift()
      if (call === null || call === undefined) return
      if (this.#give(call, [...this.#threads])) continue
      if (this.#threads.size >= this.#options.maxThreads || this.#broken || this.#ended) return
      this.#start(false)
    }
  }

  /**
   * @param {Thread} thread
   * @param {Call} call
   * @param {boolean} failed
   * @param {unknown} value
   */
  #done(thread, call, failed, value) {
    this.timing.run.record(performance.now() - call.started)
    if (!thread.destroyed) {
      // The event that it has started may come after its first result.
      if (!thread.ready) this.#ready(thread)
      else this.#available(thread)
    }
    this.#settle(call, failed, value)
    if (this.#closing) this.#checkIdle()
  }

  /**
   * @param {Call} call
   * @param {boolean} failed
   * @param {unknown} value
   */
  #settle(call, failed, value) {
    this.#owner.done(call, failed, value)
  }

  /**
   * @param {Call} call
   * @param {unknown} reason
   */
  #abort(call, reason) {
    const { thread } = call
    this.#settle(call, true, new AbortError(reason))
    if (thread === null) this.#withdraw(call)
    else this.#remove(thread)
    this.#keepMinimum()
    this.#giveOut()
    if (this.#closing) this.#checkIdle()
  }

  // ---- threads ---------------------------------------------------------------------------------

  /** @param {boolean} ready whether it gets tasks before it has started */
  #start(ready) {
    if (this.#ended) return
    const thread = new Thread(this.#options, this.events, ready)
    this.#threads.add(thread)
    if (!ready) return
    // Listeners are added after the constructor has returned.
    soon(() => {
      this.#owner.emit('workerCreate', thread.view)
      this.#available(thread)
    })
  }

  /** @param {Thread} thread */
  #ready(thread) {
    this.#broken = false
    if (thread.ready) return
    thread.ready = true
    this.#owner.emit('workerCreate', thread.view)
    this.#available(thread)
  }

  /** @param {Thread} thread */
  #available(thread) {
    this.#giveOut()
    const { idleTimeout, minThreads } = this.#options
    if (thread.usage > 0 || this.#threads.size <= minThreads) return
    thread.stayIdle()
    const over = () => {
      if (thread.usage === 0 && this.#threads.size > minThreads) this.#remove(thread)
    }
    thread.stayIdle = later(idleTimeout, over, { ref: false })
  }

  /** @param {Thread} thread */
  #exited(thread) {
    const { started, startError } = thread
    this.#broken = !started
    this.#remove(thread)
    if (started) {
      this.#keepMinimum()
      this.#giveOut()
    } else if (this.#threads.size === 0) this.#rejectWaiting(() => startError)
    if (this.#closing) this.#checkIdle()
  }

  #keepMinimum() {
    while (!this.#broken && !this.#closing && this.#threads.size < this.#options.minThreads) this.#start(false)
  }

  /** @param {Thread} thread */
  #remove(thread) {
    if (!this.#threads.delete(thread)) return
    thread.destroy()
    this.#owner.emit('workerDestroy', thread.view)
  }

  get threads() {
    return [...this.#threads].flatMap(({ worker }) => worker ?? [])
  }

  get idleThreads() {
    return [...this.#threads].filter(({ ready, usage }) => ready && usage === 0).length
  }

  get queueSize() {
    return Math.max(0, this.#queue.size + this.#passed.length - this.#expected)
  }

  // ---- ending ----------------------------------------------------------------------------------

  /** @param {() => unknown} error */
  #rejectWaiting(error) {
    /** @type {(Call | null)[]} */
    const waiting = this.#passed.splice(0)
    while (this.#queue.size > 0) waiting.push(this.#queue.shift())
    for (const call of waiting) if (call !== null) this.#settle(call, true, error())
  }

  #checkIdle() {
    const running = [...this.#threads].some(({ calls }) => calls.size > 0)
    if (!running && this.#queue.size === 0 && this.#passed.length === 0) this.#resolveIdle()
  }

  /** @param {boolean} force whether tasks that have not started are given up */
  async close(force) {
    this.#closing = true
    if (force) this.#rejectWaiting(() => new AbortError('pool is closed'))
    await new Promise((resolve) => {
      this.#resolveIdle = () => resolve(undefined)
      this.#checkIdle()
    })
    await this.destroy()
  }

  async destroy() {
    this.#closing = true
    this.#ended = true
    this.#rejectWaiting(terminated)
    const threads = [...this.#threads]
    for (const thread of threads) this.#remove(thread)
    await Promise.all(threads.map(({ gone }) => gone))
    this.#resolveIdle()
  }
}

module.exports = { Dispatched }
