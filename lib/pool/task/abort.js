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
 * @param {any} signal an AbortSignal, or an EventEmitter that emits 'abort'
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
      for (const each of set) each(signal.reason)
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

/** @type {WeakMap<object, () => void>} */
const subscriptions = new WeakMap()

/**
 * @param {any} signal
 * @param {() => void} listener
 */
function subscribe(signal, listener) {
  if (typeof signal.addEventListener === 'function') {
    signal.addEventListener('abort', listener, { once: true })
    subscriptions.set(signal, () => signal.removeEventListener('abort', listener))
  } else {
    // Not `once`: an emitter tells of the removal before it calls, and what hears of that may throw.
    const heard = () => {
      try {
        listener()
      } finally {
        signal.removeListener('abort', heard)
      }
    }
    signal.on('abort', heard)
    subscriptions.set(signal, () => signal.removeListener('abort', heard))
  }
}

module.exports = { isSignal, abortOf, listen }
