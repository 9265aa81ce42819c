'use strict'

// Places in built-ins that a user has replaced: any of them may be called in the middle of anything.

/** @type {Record<string, any>} */
const places = {}

const builtIns = {
  'Promise.prototype.then': [Promise.prototype, 'then'],
  'Promise.resolve': [Promise, 'resolve'],
  'Map.prototype.get': [Map.prototype, 'get'],
  'Map.prototype.set': [Map.prototype, 'set'],
  'Set.prototype.delete': [Set.prototype, 'delete'],
  'Array.prototype.push': [Array.prototype, 'push'],
  'Array.prototype.pop': [Array.prototype, 'pop'],
  'Array.prototype.splice': [Array.prototype, 'splice'],
  'Array.prototype.shift': [Array.prototype, 'shift'],
  'Object.keys': [Object, 'keys'],
  'Date.now': [Date, 'now'],
  'JSON.stringify': [JSON, 'stringify'],
  'Atomics.load': [Atomics, 'load'],
  'String.prototype.charCodeAt': [String.prototype, 'charCodeAt'],
  'Buffer.from': [Buffer, 'from'],
  'ArrayBuffer.prototype.slice': [ArrayBuffer.prototype, 'slice'],
  'Uint8Array.prototype.set': [Object.getPrototypeOf(Uint8Array.prototype), 'set']
}
for (const [name, [owner, key]] of Object.entries(builtIns)) {
  places[`a replaced ${name}`] = {
    thrown: 'anyone',
    // A built-in that throws where the language has none to throw is no case that anybody can serve.
    skip: ['throw'],
    calls(s) {
      const original = owner[key]
      let left = 1 + 5 * s.round
      owner[key] = function (...args) {
        if (--left === 0) s.act()
        return Reflect.apply(original, this, args)
      }
      s.later(() => (owner[key] = original))
      s.own({ a: 1, b: { c: 'c' } }, { a: 1, b: { c: 'c' } })
      // One that the package never uses is reached all the same.
      return () => {
        left = Math.min(left, 1)
        try {
          Reflect.apply(owner[key], owner === Promise ? Promise : owner, [])
        } catch {}
      }
    }
  }
}

module.exports = { places }
