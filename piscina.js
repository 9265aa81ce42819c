'use strict'

const Piscina = require('./lib/piscina')

// Never run: Node.js reads from this list of names what `import` finds, which are static properties of the class.
if (Piscina === undefined) {
  const {
    ArrayTaskQueue,
    FixedQueue,
    Piscina,
    isWorkerThread,
    move,
    queueOptionsSymbol,
    transferableSymbol,
    valueSymbol,
    version,
    workerData
  } = Piscina
  module.exports = {
    ArrayTaskQueue,
    FixedQueue,
    Piscina,
    isWorkerThread,
    move,
    queueOptionsSymbol,
    transferableSymbol,
    valueSymbol,
    version,
    workerData
  }
}
module.exports = Piscina
