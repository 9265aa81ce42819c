'use strict'

// Text for Prometheus (exposition format 0.0.4).

const ESCAPES = /** @type {Record<string, string>} */ ({ '\\': '\\\\', '"': '\\"', '\n': '\\n' })
const escaped = (/** @type {string} */ found) => ESCAPES[found]

/**
 * @typedef {[labels: Record<string, unknown>, value: number | undefined, suffix?: string]} Sample
 * @typedef {{ name: string, type: 'counter'|'gauge'|'histogram', help: string, samples: Sample[] }} Family
 */

/** Collects metric families. */
class Text {
  /** @type {Family[]} */
  #families = []
  /** The names of all families that were added. @type {Set<string>} */
  names = new Set()

  /**
   * @param {string} name
   * @param {Family['type']} type
   * @param {string} help
   * @param {Sample[]} given samples without a value are left out
   */
  add(name, type, help, given) {
    this.names.add(name)
    const samples = given.filter(([, value]) => value !== undefined)
    if (samples.length > 0) this.#families.push({ name, type, help, samples })
  }

  toString() {
    return this.#families.map(write).join('')
  }

  toJSON() {
    return this.#families.map(({ samples, ...family }) => ({
      ...family,
      samples: samples.map(([labels, value, suffix = '']) => ({ name: family.name + suffix, labels, value }))
    }))
  }
}

/** @param {Family} family */
function write({ name, type, help, samples }) {
  // In a help text a quotation mark stands for itself, and must not be escaped.
  const head = `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}\n`
  const lines = samples.map(([labels, value, suffix = '']) => {
    const inside = Object.entries(labels)
      .map(([label, text]) => `${label}="${String(text).replace(/[\\"\n]/g, escaped)}"`)
      .join(',')
    return `${name}${suffix}${inside === '' ? '' : `{${inside}}`} ${value}\n`
  })
  return head + lines.join('')
}

/** @param {number | undefined} ms */
function seconds(ms) {
  return ms === undefined ? undefined : ms / 1000
}

module.exports = { Text, seconds }
