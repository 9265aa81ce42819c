// Applications that know nothing of the cluster helper and clean up at their end, each in its way. They say when
// the last request is answered, and when they have cleaned up.

import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const server = http.createServer(async (request, response) => {
  if (request.url === '/slow') await sleep(400)
  response.end('answered')
  if (request.url === '/slow') console.log('answered')
})

/** What takes some time, as closing a database does. */
async function cleanUp() {
  await sleep(100)
  console.log('cleaned up')
}

const ways = {
  'its own listener': () => {
    process.on('SIGTERM', (signal, number) => {
      console.log(`got ${signal} ${number}`)
      server.close((error) => cleanUp().then(() => process.exit(error === undefined ? 0 : 1)))
    })
  },
  'a listener of SIGINT only': () => {
    process.once('SIGINT', () => server.close(() => cleanUp().then(() => process.exit())))
  },
  // Nothing is left that keeps the process.
  'a listener that does not exit': () => {
    process.on('SIGTERM', () => server.close(cleanUp))
  },
  NestJS: async () => {
    await import('reflect-metadata')
    const { Module } = await import('@nestjs/common')
    const { NestFactory } = await import('@nestjs/core')
    class App {
      onModuleDestroy() {
        return cleanUp()
      }
    }
    Module({})(App)
    const app = await NestFactory.createApplicationContext(App, { logger: false })
    app.enableShutdownHooks()
  },
  'close-with-grace': async () => {
    const { default: closeWithGrace } = await import('close-with-grace')
    closeWithGrace(cleanUp)
  },
  terminus: async () => {
    const { createTerminus } = (await import('@godaddy/terminus')).default
    createTerminus(server, { signal: 'SIGTERM', onSignal: cleanUp, logger: console.log })
  },
  lightship: async () => {
    const { createLightship } = await import('lightship')
    const lightship = await createLightship({ port: 0, detectKubernetes: false, shutdownDelay: 0 })
    lightship.registerShutdownHandler(cleanUp)
    lightship.signalReady()
  }
}

await ways[process.env.END]()
server.listen(Number(process.env.APP_PORT), '127.0.0.1')
