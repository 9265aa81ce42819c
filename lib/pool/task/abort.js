'use strict'

// One listener per signal, however many tasks share the signal.

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
 * Why a signal has aborted. Undefined if it has not, or if it is an EventEmitter, which cannot tell.
 * @param {Signal | undefined} signal
 * @returns {{ reason: unknown } | undefined}
 */
function abortOf(signal) {
  const { aborted, reason } = /** @type {Partial<AbortSignal>} */ (signal ?? {})
  return aborted ? { reason } : undefined
}

/**
 * Calls `onAbort` when the signal aborts. The returned function ends this.
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
      // The last task is aborted first, so that no waiting task begins in the place of an aborted one.
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
    // Not `once`: an emitter emits 'removeListener' before it calls the listener, and a listener for that may throw.
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
