'use strict'

// The heavy route of the case `end-to-end`: makes a report of `size` sales, as a page.

/** @param {number} size */
function report(size) {
  let seed = 1
  const sales = Array.from({ length: size }, (_, id) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    const n = seed >>> 8
    return { id, customer: `customer ${n % 500}`, cents: n % 100_000, day: n % 365 }
  })
  sales.sort((a, b) => a.day - b.day || b.cents - a.cents)
  /** @type {Map<string, number>} */
  const totals = new Map()
  for (const { customer, cents } of JSON.parse(JSON.stringify(sales)))
    totals.set(customer, (totals.get(customer) ?? 0) + cents)
  const rows = [...totals].sort(([, a], [, b]) => b - a).slice(0, 100)
  const cells = rows.map(([name, cents]) => `<tr><td>${name}</td><td>${(cents / 100).toFixed(2)}</td></tr>`)
  return `<table>${cells.join('\n')}</table>`
}

module.exports = report
