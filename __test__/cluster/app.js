'use strict'

// An HTTP server that does on request what the tests need.

const cluster = require('node:cluster')
const http = require('node:http')
const { spawn, execSync } = require('node:child_process')
const fs = require('node:fs')

/** Its event loop will not turn any more, so this is written at once. */
const tellBlocked = () => fs.writeSync(1, `blocked ${process.pid};`)

module.exports = async (context) => {
  const { slot, generation, counters } = context
  context.onRequest((message) => {
    if (message?.fail)
      throw Object.assign(new TypeError('refused', { cause: new RangeError('why') }), { code: 'E_TEST', status: 418 })
    if (message?.failInCircles) {
      const error = Object.assign(new Error('round'), { code: 'E_ROUND' })
      error.cause = error
      throw error
    }
    if (message?.giveFunction) return () => {}
    // Answered when nothing else is left to do: its server has been drained.
    if (message?.late) {
      context.send('asked')
      return new Promise((resolve) =>
        context.signal.addEventListener('abort', () => server.once('close', () => resolve('late')))
      )
    }
    return { slot, got: message }
  })
  context.onMessage((message) => {
    if (message === 'last words') {
      context.send('last words')
      process.exit(0)
    }
    if (message === 'block') for (;;);
    context.send({ slot, got: message })
  })
  const routes = {
    '/': (request, response) =>
      response.end(
        JSON.stringify({ slot, generation, pid: process.pid, env: process.env.APP_VERSION, stopping: context.stopping })
      ),
    '/count': (request, response) => response.end(String(counters.add('requests'))),
    '/slow': (request, response) => setTimeout(() => response.end('slow'), 700),
    '/hang': () => {},
    '/process.disconnect': (request, response) => response.end('', () => process.disconnect()),
    '/worker.disconnect': (request, response) => response.end('', () => cluster.worker.disconnect()),
    '/worker.kill': (request, response) => response.end('', () => cluster.worker.kill()),
    '/block': () => {
      for (;;);
    },
    '/block-later': (request, response) => {
      response.end('ok')
      setTimeout(function spinForEver() {
        tellBlocked()
        for (;;);
      }, 20)
    },
    '/work-later': (request, response) => {
      response.end('ok')
      setTimeout(function workForEver() {
        for (;;) JSON.parse('[1, 2, 3]')
      }, 20)
    },
    '/native': () => execSync('sleep 60'),
    // What comes meanwhile finds a process that has just left.
    '/leave-later': (request, response) => {
      response.end('ok')
      setTimeout(() => {
        tellBlocked()
        for (const end = Date.now() + 500; Date.now() < end; );
        process.emit('SIGTERM')
      }, 20)
    },
    '/wait': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
    '/throw': () => {
      throw new Error('thrown by a request')
    },
    '/error': (request, response) => {
      response.statusCode = 500
      response.end()
    },
    '/exit': () => process.exit(7),
    '/balloon': (request, response) => {
      globalThis.balloon = Buffer.alloc(300e6, 1)
      response.end('ok')
    },
    '/balloon-for-ever': (request, response) => {
      response.end('ok')
      globalThis.balloons = []
      setInterval(() => globalThis.balloons.push(Buffer.alloc(20e6, 1)), 5)
    },
    // The shell ends at once, and leaves a child that ends later.
    '/orphan': (request, response) =>
      spawn('/bin/sh', ['-c', 'sleep 0.5 &']).on('exit', () => response.end('left one behind')),
    '/child': (request, response) => {
      const detached = request.headers.detached === 'yes'
      response.end(String(spawn('sleep', ['60'], { stdio: 'ignore', detached }).pid))
    },
    // The channel to the primary stays open after this process.
    '/heir': (request, response) =>
      response.end(String(spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', 3] }).pid)),
    // Goes on for ever, or until the process is told by SIGUSR2 to end it.
    '/events': (request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const timer = setInterval(() => response.write(`data: ${process.pid}\n\n`), 20)
      response.on('close', () => clearInterval(timer))
      process.once('SIGUSR2', () => response.end('data: last\n\n'))
    }
  }
  const server = http.createServer((request, response) => {
    if (request.method !== 'POST') return routes[request.url.split('?')[0]](request, response)
    counters.add('requests')
    let bytes = 0
    request.on('data', (chunk) => {
      bytes += chunk.length
    })
    request.on('end', () => response.end(String(bytes)))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(process.env.APP_PORT), resolve)
  })
}
