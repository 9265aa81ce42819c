'use strict'

// rspool and the pools that it is measured against, behind two functions. `echo` sends a value through a script and back;
// `bounce` hands a buffer over and back without copying it, if the library can.

const path = require('node:path')
const rspool = require('../..')
const { sleep } = require('./measure')

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(value: any) => Promise<any>} echo
 * @property {(buffer: Uint8Array) => Promise<any>} bounce
 * @property {() => Promise<any>} close
 */

const worker = (/** @type {string} */ name) => path.join(__dirname, '..', 'workers', `${name}.js`)

/** @type {Record<string, (threads: number) => Promise<Omit<Contestant, 'name'>>>} */
const makers = {
  async rspool(threads) {
    const pool = new rspool.Pool({ filename: worker('rspool'), minThreads: threads, maxThreads: threads })
    return {
      echo: (value) => pool.run(value),
      bounce: (buffer) => pool.run(buffer, { name: 'bounce', transferList: [buffer.buffer] }),
      close: () => pool.close()
    }
  },

  async piscina(threads) {
    const { Piscina } = require('piscina')
    const pool = new Piscina({ filename: worker('piscina'), minThreads: threads, maxThreads: threads })
    return {
      echo: (value) => pool.run(value),
      bounce: (buffer) => pool.run(buffer, { name: 'bounce', transferList: [buffer.buffer] }),
      close: () => pool.destroy()
    }
  },

  async tinypool(threads) {
    const { default: Tinypool } = await import('tinypool')
    const pool = new Tinypool({ filename: worker('tinypool'), minThreads: threads, maxThreads: threads })
    return {
      echo: (value) => pool.run(value),
      bounce: (buffer) => pool.run(buffer, { name: 'bounce', transferList: [buffer.buffer] }),
      close: () => pool.destroy()
    }
  },

  async workerpool(threads) {
    const workerpool = require('workerpool')
    const pool = workerpool.pool(worker('workerpool'), {
      minWorkers: threads,
      maxWorkers: threads,
      workerType: 'thread'
    })
    return {
      echo: (value) => pool.exec('echo', [value]),
      bounce: (buffer) => pool.exec('bounce', [buffer], { transfer: [buffer.buffer] }),
      close: () => pool.terminate(true)
    }
  },

  async poolifier(threads) {
    const { FixedThreadPool } = require('poolifier')
    const pool = new FixedThreadPool(threads, worker('poolifier'))
    return {
      echo: (value) => pool.execute(value),
      bounce: (buffer) => pool.execute(buffer, 'echo', undefined, [buffer.buffer]),
      close: () => pool.destroy()
    }
  }
}

const names = Object.keys(makers)

/** @param {string} name */
function versionOf(name) {
  return name === 'rspool'
    ? require('../../package.json').version
    : require(path.join(__dirname, '..', '..', 'node_modules', name, 'package.json')).version
}

/**
 * Starts every contestant with its workers, calls `use` with the contestants, and closes them afterwards.
 * @template T
 * @param {number} threads
 * @param {(contestants: Contestant[]) => Promise<T>} use
 * @param {string[]} [which]
 */
async function withRivals(threads, use, which = names) {
  /** @type {Contestant[]} */
  const contestants = []
  try {
    for (const name of which) {
      const made = { name, ...(await makers[name](threads)) }
      contestants.push(made)
      await Promise.all(Array.from({ length: 50 }, (_, i) => made.echo(i)))
    }
    return await use(contestants)
  } finally {
    // `close` of some peers now and then never settles, and nothing of theirs keeps the process alive either.
    await Promise.all(contestants.map(({ close }) => Promise.race([close(), sleep(2000)])))
  }
}

module.exports = { withRivals, names, versionOf }
