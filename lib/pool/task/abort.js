'use strict'

// One listener a signal, however many tasks share it.

/** @typedef {import('../../../types/tasks').Signal} Signal */

/** @type {WeakMap<object, Set<(reason: unknown) => void>>} */
const listeners = new WeakMap()

/**
 * @param {unknown} value
 * @returns {value is Signal}
 */
function isSignal(value) {
  if (value === null || typeof value !== 'object') return false
  const { addEventListener, on } = /** @type {Record<string, unknown>} */ (value)
  return typeof addEventListener === 'function' || typeof on === 'function'
}

/**
 * Why a signal has aborted; undefined if it has not, and of an EventEmitter, which cannot say.
 * @param {Signal | undefined} signal
 * @returns {{ reason: unknown } | undefined}
 */
function abortOf(signal) {
  const { aborted, reason } = /** @type {Partial<AbortSignal>} */ (signal ?? {})
  return aborted ? { reason } : undefined
}

/**
 * Calls `onAbort` when the signal aborts, until the function that it gives is called.
 * @param {Signal} signal
 * @param {(reason: unknown) => void} onAbort
 * @returns {() => void}
 */
function listen(signal, onAbort) {
  let waiting = listeners.get(signal)
  if (waiting === undefined) {
    const set = (waiting = new Set())
    listeners.set(signal, set)
    subscribe(signal, () => {
      listeners.delete(signal)
      // What came last goes first: a task that waits is not to begin in the place of one that was aborted before it.
      const all = Array.from(set)
      for (let i = all.length - 1; i >= 0; i--)
        if (set.has(all[i])) all[i](/** @type {Partial<AbortSignal>} */ (signal).reason)
    })
  }
  waiting.add(onAbort)
  const set = waiting
  return () => {
    set.delete(onAbort)
    if (set.size === 0 && listeners.get(signal) === set) {
      listeners.delete(signal)
      subscriptions.get(signal)?.()
      subscriptions.delete(signal)
    }
  }
}

/**
 * @param {Signal} signal
 * @returns {signal is AbortSignal}
 */
function isEventTarget(signal) {
  return typeof (/** @type {Partial<AbortSignal>} */ (signal).addEventListener) === 'function'
}

/** @type {WeakMap<object, () => void>} */
const subscriptions = new WeakMap()

/**
 * @param {Signal} signal
 * @param {() => void} listener
 */
function subscribe(signal, listener) {
  if (isEventTarget(signal)) {
    signal.addEventListener('abort', listener, { once: true })
    subscriptions.set(signal, () => signal.removeEventListener('abort', listener))
  } else {
    const emitter = /** @type {import('node:events').EventEmitter} */ (signal)
    // Not `once`: an emitter tells of the removal before it calls, and what hears of that may throw.
    const heard = () => {
      try {
        listener()
      } finally {
        emitter.removeListener('abort', heard)
      }
    }
    emitter.on('abort', heard)
    subscriptions.set(signal, () => emitter.removeListener('abort', heard))
  }
}

module.exports = { isSignal, abortOf, listen }
