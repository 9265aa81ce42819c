'use strict'

// The typed arrays by number.

const { types } = require('node:util')
const { bufferProto, getPrototypeOf, mapGet } = require('../native/primordials')
const { VIEW } = require('../native/wire')

/** @typedef {new (buffer: ArrayBufferLike, offset?: number, length?: number) => ArrayBufferView} ViewClass */

/** The classes by `VIEW`. @type {(ViewClass & { BYTES_PER_ELEMENT?: number })[]} */
const VIEWS = []
VIEWS[VIEW.UINT8] = Uint8Array
VIEWS[VIEW.INT8] = Int8Array
VIEWS[VIEW.UINT8_CLAMPED] = Uint8ClampedArray
VIEWS[VIEW.INT16] = Int16Array
VIEWS[VIEW.UINT16] = Uint16Array
VIEWS[VIEW.INT32] = Int32Array
VIEWS[VIEW.UINT32] = Uint32Array
VIEWS[VIEW.FLOAT32] = Float32Array
VIEWS[VIEW.FLOAT64] = Float64Array
VIEWS[VIEW.BIG_INT64] = BigInt64Array
VIEWS[VIEW.BIG_UINT64] = BigUint64Array
VIEWS[VIEW.DATA_VIEW] = DataView
const { Float16Array } = /** @type {{ Float16Array?: ViewClass }} */ (globalThis)
if (Float16Array !== undefined) VIEWS[VIEW.FLOAT16] = Float16Array

const slabProto = Buffer.prototype
/** @type {Map<object, number>} */
const byPrototype = new Map(VIEWS.map((View, type) => [View.prototype, type]))
byPrototype.set(slabProto, VIEW.UINT8)

/**
 * The number of a view's type; -1 for a subclass of the user.
 * @param {ArrayBufferView} view
 * @param {object} [proto] its prototype
 */
function viewType(view, proto = getPrototypeOf(view)) {
  return mapGet(byPrototype, proto) ?? -1
}

/** The property exists since Node.js 20; the type definitions are older. @typedef {{ resizable?: boolean }} Resizable */

/**
 * Whether the view covers a whole plain ArrayBuffer, so that the bytes of the view are all that a clone needs.
 * @param {ArrayBufferView} view
 */
function isWholeView(view) {
  const buffer = view.buffer
  return (
    view.byteLength === buffer.byteLength &&
    types.isArrayBuffer(buffer) &&
    /** @type {Resizable} */ (buffer).resizable !== true &&
    getPrototypeOf(buffer) === bufferProto
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
 * The view itself, if it is a small Buffer in a slab that Node.js shares among many Buffers: only its own bytes belong
 * to it.
 * @param {ArrayBufferView} view
 * @param {object} [proto] its prototype
 */
function slabBytes(view, proto = getPrototypeOf(view)) {
  if (proto !== slabProto) return undefined
  const length = view.buffer.byteLength
  return (length === SLAB || length === Buffer.poolSize) && view.byteLength < length
    ? /** @type {Buffer} */ (view)
    : undefined
}

module.exports = { VIEWS, viewType, isWholeView, isDetached, slabBytes }
