'use strict'

// The frames of `top`, and its keys.

const readline = require('node:readline')
const { setTimeout: sleep } = require('node:timers/promises')
const { frame, ORDERS } = require('./frame')
const { paint } = require('./output')
const { processOf, ask } = require('./helper-thread')
const { Viewer } = require('./view')
const { EXIT } = require('./failure')
const { ASK } = require('../native/wire')

const SCREEN = {
  begin: '\u001b[?1049h\u001b[?25l',
  end: '\u001b[?25h\u001b[?1049l',
  home: '\u001b[H',
  rest: '\u001b[J',
  line: '\u001b[K'
}

class Top {
  #viewer
  #options
  #screen = process.stdout.isTTY === true && process.stdin.isTTY === true
  /** @type {typeof ORDERS[keyof typeof ORDERS]} */
  #order = 'slot'
  /** The slots of the last frame. @type {number[]} */
  #slots = []
  /** The chosen slot. */
  #chosen = 0
  /** The lines that Enter has asked for. @type {string[]} */
  #stack = []
  #ended = new AbortController()

  /** @param {import('./view').Viewer} viewer @param {{ interval: number, count: number, json: boolean }} options */
  constructor(viewer, options) {
    this.#viewer = viewer
    this.#options = options
    if (options.json) this.#screen = false
  }

  async run() {
    const { interval, count } = this.#options
    if (this.#screen) this.#open()
    try {
      // The first look has no rates.
      this.#viewer.look()
      for (let frames = 0; frames < count && !this.#ended.signal.aborted; frames++) {
        if (frames === 0) await this.#pause(Math.min(interval, 250))
        else await this.#pause(interval)
        if (this.#ended.signal.aborted) break
        const view = this.#viewer.look()
        this.#slots = view.processes.map(({ slot }) => slot)
        this.#show(view)
        if (!view.primary.alive) return EXIT.none
      }
      return EXIT.ok
    } finally {
      if (this.#screen) this.#close()
    }
  }

  async #pause(/** @type {number} */ ms) {
    await sleep(ms, undefined, { signal: this.#ended.signal }).catch(() => {})
  }

  #show(/** @type {import('./view').ClusterView} */ view) {
    if (this.#options.json) {
      process.stdout.write(`${JSON.stringify(view)}\n`)
      return
    }
    if (!this.#screen) {
      process.stdout.write(`${frame(view, { rates: true }).join('\n')}\n\n`)
      return
    }
    const { columns = 80, rows = 24 } = process.stdout
    const text = frame(view, { rates: true, order: this.#order, width: columns, chosen: this.#chosen })
    const help = paint('dim', `q quit   sorted by ${this.#order}: s c m l r a f   up/down and Enter: stack`)
    const all = [...text, ...this.#stack, '', help].slice(0, rows)
    process.stdout.write(SCREEN.home + all.map((line) => line + SCREEN.line).join('\r\n') + SCREEN.rest)
  }

  #open() {
    process.stdout.write(SCREEN.begin)
    readline.emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    process.stdin.on('keypress', (_, key) => this.#press(key))
    process.stdin.resume()
    for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.once(signal, () => this.#ended.abort())
  }

  #close() {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stdout.write(SCREEN.end)
  }

  #press(/** @type {{ name?: string, ctrl?: boolean }} */ { name = '', ctrl }) {
    const slots = this.#slots
    const at = Math.max(0, slots.indexOf(this.#chosen))
    if (name === 'q' || (ctrl && name === 'c')) this.#ended.abort()
    else if (name === 'up') this.#chosen = slots[Math.max(0, at - 1)]
    else if (name === 'down') this.#chosen = slots[Math.min(slots.length - 1, at + 1)]
    else if (name === 'return') this.#readStack()
    else if (name === 'escape') this.#stack = []
    else if (Object.hasOwn(ORDERS, name)) this.#order = ORDERS[/** @type {keyof typeof ORDERS} */ (name)]
  }

  async #readStack() {
    const slot = this.#chosen
    this.#stack = ['', `stack of slot ${slot}: …`]
    try {
      const text = await ask(this.#viewer.cluster, processOf(new Viewer(this.#viewer.cluster), slot), {
        kind: ASK.STACK,
        timeout: 5000
      })
      this.#stack = [
        '',
        `stack of slot ${slot} at ${new Date().toLocaleTimeString()} (Escape closes it)`,
        ...text.split('\n')
      ]
    } catch (error) {
      this.#stack = ['', `stack of slot ${slot}: ${/** @type {Error} */ (error).message}`]
    }
  }
}

module.exports = { Top }
