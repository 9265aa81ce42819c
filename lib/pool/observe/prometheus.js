'use strict'

// Text for Prometheus (exposition format 0.0.4).

/** @param {unknown} value */
const quote = (value) =>
  String(value).replace(/[\\"\n]/g, (found) => ({ '\\': '\\\\', '"': '\\"', '\n': '\\n' })[found] ?? found)

/** @typedef {[labels: Record<string, unknown>, value: number | undefined, suffix?: string]} Sample */

/** Collects the samples of one family under its header. */
class Text {
  #families = /** @type {string[]} */ ([])
  /** Of the families. @type {Set<string>} */
  names = new Set()

  /**
   * @param {string} name
   * @param {'counter'|'gauge'|'histogram'} type
   * @param {string} help
   * @param {Sample[]} samples those without a value are left out
   */
  add(name, type, help, samples) {
    this.names.add(name)
    const lines = samples
      .filter(([, value]) => value !== undefined)
      .map(([labels, value, suffix = '']) => {
        const inside = Object.entries(labels)
          .map(([label, text]) => `${label}="${quote(text)}"`)
          .join(',')
        return `${name}${suffix}${inside === '' ? '' : `{${inside}}`} ${value}\n`
      })
    if (lines.length > 0) this.#families.push(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`)
  }

  toString() {
    return this.#families.join('')
  }
}

/** @param {number | undefined} ms */
function seconds(ms) {
  return ms === undefined ? undefined : ms / 1000
}

module.exports = { Text, quote, seconds }
