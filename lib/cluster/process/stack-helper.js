'use strict'

// A thread beside the event loop of a process. When the watcher asks, it reads the JavaScript stack
// of the main thread, which may be blocked, and writes it into the region.

const { Session } = require('node:inspector')
const { fileURLToPath } = require('node:url')
const { workerData } = require('node:worker_threads')
const { SharedRegion, SEAT } = require('../region')

const LOOK_EVERY = 200

const { place } = workerData
const region = SharedRegion.open(place.fd, place.names)

let asked = false
// The timer goes on after the answer: a session alone does not keep this thread.
setInterval(() => {
  if (asked || region.get(place.seat, SEAT.capture) !== 1) return
  asked = true
  capture()
}, LOOK_EVERY)

function capture() {
  const session = /** @type {any} */ (new Session())
  session.connectToMainThread()
  /** @type {Map<string, string>} */
  const urls = new Map()
  session.on('Debugger.scriptParsed', (/** @type {any} */ { params }) => {
    urls.set(params.scriptId, params.url.startsWith('file:') ? fileURLToPath(params.url) : params.url)
  })
  session.on('Debugger.paused', (/** @type {any} */ { params }) => {
    const lines = params.callFrames.map(
      (/** @type {any} */ { functionName, location }) =>
        `    at ${functionName || '<anonymous>'} (${urls.get(location.scriptId)}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1})`
    )
    region.writeText(place.seat, lines.join('\n'))
    session.post('Debugger.resume')
    session.disconnect()
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}
