'use strict'

// The typed arrays by number, as src/native/payload.rs also counts them.

const { types } = require('node:util')

/** @type {any[]} */
const VIEWS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView
]
if (typeof (/** @type {any} */ (globalThis).Float16Array) === 'function') {
  VIEWS.push(/** @type {any} */ (globalThis).Float16Array)
}
/** An ArrayBuffer by itself, and a Buffer as a result of a native task. */
const ARRAY_BUFFER = 254
const BUFFER = 255

const byPrototype = new Map(VIEWS.map((View, type) => [View.prototype, type]))
byPrototype.set(Buffer.prototype, 0)

/**
 * The number of a view's type; -1 for a subclass of the user's.
 * @param {ArrayBufferView} view
 */
function viewType(view) {
  return byPrototype.get(Object.getPrototypeOf(view)) ?? -1
}

/**
 * Whether the view covers all of a plain ArrayBuffer, so that its bytes are all there is to it.
 * @param {ArrayBufferView} view
 */
function isWholeView(view) {
  const buffer = view.buffer
  return (
    view.byteLength === buffer.byteLength &&
    types.isArrayBuffer(buffer) &&
    /** @type {any} */ (buffer).resizable !== true &&
    Object.getPrototypeOf(buffer) === ArrayBuffer.prototype
  )
}

/** @param {ArrayBufferLike} buffer */
function isDetached(buffer) {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** The length of Node's slabs, which may be more than `Buffer.poolSize`. */
const SLAB = Buffer.allocUnsafe(1).buffer.byteLength

/**
 * The view itself if it is a small Buffer in a slab that Node shares among many: only its own bytes
 * belong to it.
 * @param {ArrayBufferView} view
 */
function slabBytes(view) {
  if (Object.getPrototypeOf(view) !== Buffer.prototype) return undefined
  const length = view.buffer.byteLength
  return (length === SLAB || length === Buffer.poolSize) && view.byteLength < length
    ? /** @type {Buffer} */ (view)
    : undefined
}

module.exports = { VIEWS, ARRAY_BUFFER, BUFFER, viewType, isWholeView, isDetached, slabBytes }
