'use strict'

// A process that counts: node map-counter.js <times>, with the map as descriptor 4. It begins when its parent says so.

const { SharedMap } = require('../../lib/shared-map')

const [, , times, seat] = process.argv
const map = SharedMap.open(4, Number(seat))
process.on('message', () => {
  const start = performance.now()
  for (let n = 0; n < Number(times); n++) map.increment('hits')
  process.send?.(performance.now() - start, () => process.disconnect())
})
process.send?.('ready')
