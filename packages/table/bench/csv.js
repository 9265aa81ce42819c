'use strict'

/**
 * Rows with numbers, times, texts, and quotes here and there. The same each time.
 * @param {number} rows
 */
function csv(rows) {
  let seed = 12345
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x80000000
  /** @param {string[]} list */
  const pick = (list) => list[Math.floor(random() * list.length)]
  const cities = ['Berlin', 'Paris', '"New York, NY"', 'São Paulo', 'Tokyo', 'Oslo', 'Lima', 'Cairo']
  const notes = ['', '', '"said ""hi"", twice"', 'plain words here', 'plain words here', 'plain words here']
  const lines = ['id,name,city,price,quantity,when,note']
  for (let id = 0; id < rows; id++) {
    const name = `user-${Math.floor(random() * 1e6).toString(36)}`
    const when = new Date(1.7e12 + Math.floor(random() * 1e8) * 1000).toISOString().replace('.000', '')
    const price = (random() * 1000).toFixed(2)
    lines.push([id, name, pick(cities), price, Math.floor(random() * 100), when, pick(notes)].join(','))
  }
  return Buffer.from(lines.join('\n'))
}

module.exports = { csv }
