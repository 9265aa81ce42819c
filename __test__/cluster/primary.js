'use strict'

// The program that the tests of the cluster helper start: a primary that is told what to do by its
// parent, and the main function of its processes.
//   node primary.js '<json of { app, file, options }>'

const { existsSync } = require('node:fs')
const path = require('node:path')
const { run, isPrimary } = require('../../lib/cluster')

const { app, file, options } = JSON.parse(process.argv[2])
const target = file ?? require(path.join(__dirname, app))
if (options.log === 'throws')
  options.log = () => {
    throw new Error('thrown by log')
  }
// A function cannot come as JSON: this is the name of one that the app has.
if (typeof target[options.sticky] === 'function') options.sticky = target[options.sticky]
const supervisor = run(target, options)

const tellError = (error) => {
  const { name, message, code, status, cause } = error
  const because = cause instanceof Error ? { class: cause.constructor.name, message: cause.message } : cause
  const stack = /app\.js/.test(error.stack)
  return { class: error.constructor.name, name, message, code, status, cause: because, stack }
}

if (isPrimary) target.route?.(supervisor)

if (isPrimary || options.processes === 0) {
  const tell = (message) => {
    if (process.connected) process.send(message)
  }
  for (const name of [
    'state',
    'exit',
    'message',
    'crashloop',
    'reload',
    'close',
    'stalled',
    'memory',
    'handoff',
    'recycle',
    'spare'
  ]) {
    supervisor.on(name, (...values) => tell({ event: name, values }))
  }
  supervisor.on('close', () => console.log(`counted ${supervisor.counters.get('requests')}`))
  supervisor.ready.then(
    () => tell({ event: 'ready', values: [] }),
    (error) => {
      tell({ event: 'unready', values: [{ code: error.code, message: error.message }] })
    }
  )
  supervisor.onRequest((message) => ({ echo: message }))
  const methods = {
    counter: (name) => supervisor.counters.get(name),
    add: (name, n) => supervisor.counters.add(name, n),
    set: (name, n) => supervisor.counters.set(name, n),
    reset: (name) => supervisor.counters.reset(name),
    processes: () => supervisor.processes,
    map: (name, method, ...args) => supervisor.maps[name][method](...args),
    block: (ms) => {
      for (const end = Date.now() + ms; Date.now() < end; );
    },
    /** Does not turn the loop until there is a file. */
    blockUntil: (file) => {
      for (const end = Date.now() + 40_000; !existsSync(file); )
        if (Date.now() > end) throw new Error(`${file} did not come`)
    },
    /** Calls a method, and gives how long it took. */
    timed: (name, ...args) => {
      const start = performance.now()
      const value = methods[name] === undefined ? supervisor[name](...args) : methods[name](...args)
      return { value, ms: performance.now() - start }
    },
    /** Has a child that ends while the loop is blocked, and gives how it ended. */
    ownChild: async (ms) => {
      const child = require('node:child_process').spawn('/bin/sh', ['-c', 'exit 7'])
      methods.block(ms)
      const [code] = await require('node:events').once(child, 'exit')
      return code
    },
    /** Kills a process, and does not turn the loop until there is a file. */
    killAndBlock: (pid, file) => {
      process.kill(pid, 'SIGKILL')
      methods.blockUntil(file)
    },
    /** Kills a process, and does not turn the loop until its tokens are back. */
    killHolder: (pid) => {
      const { tokens } = supervisor.status().budget
      process.kill(pid, 'SIGKILL')
      const end = Date.now() + 10_000
      while (supervisor.status().budget.free < tokens)
        if (Date.now() > end) throw new Error('the tokens did not come back')
    },
    /** Sends without waiting until it is refused. */
    sendUntilRefused: async (slot, length) => {
      for (let sent = 0; ; sent++) {
        const refused = supervisor.send(slot, 'x'.repeat(length)).then(
          () => undefined,
          (error) => error
        )
        // A refusal comes at once.
        const error = await Promise.race([refused, new Promise((resolve) => setImmediate(() => resolve()))])
        if (error !== undefined) return { sent, code: error.code }
      }
    },
    /** The error of a request, as it is here. */
    refusal: (slot, message) => supervisor.request(slot, message).then(() => undefined, tellError),
    refusalOfFunction: (slot) => supervisor.send(slot, () => {}).then(() => undefined, tellError),
    /** What is really used: for a program that was started with --expose-gc. */
    heapUsed: () => {
      globalThis.gc()
      return process.memoryUsage().heapUsed
    },
    /** What is heard becomes an event. */
    subscribe: (topic) => {
      supervisor.subscribe(topic, (...values) => tell({ event: 'published', values }))
    },
    descriptors: () => require('node:fs').readdirSync('/proc/self/fd').length
  }
  process.on('message', async ({ id, call, args }) => {
    try {
      const method = methods[call] ?? supervisor[call].bind(supervisor)
      tell({ id, value: await method(...args) })
    } catch ({ message, code, name }) {
      tell({ id, error: { message, code, name } })
    }
  })
  process.on('disconnect', () => process.exit(1))
  process.channel.unref()
}
