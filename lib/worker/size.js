'use strict'

// Checks between tasks whether this isolate, or the process, has grown so large that the isolate must be replaced.

const { bound } = require('../native/environment')

/** Milliseconds between two looks. */
const EVERY = 100
/** The factor by which the process must have grown since this isolate started, to replace the isolate for it. */
const GROWTH = 1.1

/**
 * @param {{ heap?: number, rss?: number }} limits in bytes
 * @returns {(now: number) => void} called between tasks
 */
function watch({ heap, rss }) {
  const { getHeapStatistics } = require('node:v8')
  // The limit varies, so that isolates of the same age do not reach it at the same time.
  const most = heap === undefined ? Infinity : heap * (0.9 + 0.2 * Math.random())
  // If others hold the memory, a new isolate does not help.
  const mostOfAll = rss === undefined ? Infinity : Math.max(rss, process.memoryUsage.rss() * GROWTH)
  let last = -Infinity
  let told = false
  return (now) => {
    if (told || now - last < EVERY) return
    last = now
    told =
      (heap !== undefined && getHeapStatistics().used_heap_size > most) ||
      (rss !== undefined && process.memoryUsage.rss() > mostOfAll)
    if (told) bound.wearOut()
  }
}

module.exports = { watch }
