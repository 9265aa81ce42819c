'use strict'

// Publishes and subscribes as it is told, and gives what it has heard.

module.exports = (context) => {
  /** @type {{ message: any, publisher: any }[]} */
  const heard = []
  let missed = 0
  /** @type {Map<string, () => void>} */
  const subscriptions = new Map()
  /** @type {(() => void)[]} */
  const waiting = []
  const hear = () => {
    for (const look of waiting.splice(0)) look()
  }
  const commands = {
    subscribe: (topic) => {
      const end = context.subscribe(
        topic,
        (message, publisher) => {
          heard.push({ message, publisher })
          hear()
        },
        {
          onMissed: (count) => {
            missed += count
            hear()
          }
        }
      )
      subscriptions.set(topic, end)
    },
    unsubscribe: (topic) => subscriptions.get(topic)(),
    publish: (topic, ...messages) => {
      for (const message of messages) context.publish(topic, message)
    },
    /** More than the loop can hear meanwhile. */
    publishMany: (topic, count, length) => {
      for (let number = 0; number < count; number++) context.publish(topic, { number, text: 'x'.repeat(length) })
    },
    publishForEver: (topic, length) => {
      let number = 0
      const batch = () => {
        for (let n = 0; n < 100; n++) {
          const fill = number++ % 251
          try {
            context.publish(topic, new Uint8Array(length).fill(fill))
          } catch (error) {
            if (error.code !== 'ERR_RSPOOL_PUBLISH_BUSY') throw error
          }
        }
        setImmediate(batch)
      }
      batch()
    },
    /** Hears bytes that are all the same, as long as none is torn. */
    checkBytes: (topic) => {
      context.subscribe(topic, (bytes) => {
        if (bytes.some((byte) => byte !== bytes[0])) context.send({ torn: [...bytes] })
      })
    },
    /** Resolves when so many messages were heard or missed. */
    heard: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (heard.length + missed < count) return void waiting.push(look)
          resolve({ heard: heard.splice(0), missed })
          missed = 0
        }
        look()
      }),
    /** Resolves when this message was heard. */
    heardOf: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if (heard.some(({ message }) => message === wanted)) resolve(true)
          else waiting.push(look)
        }
        look()
      }),
    fails: (method, ...args) => {
      try {
        context[method](...args)
      } catch ({ code, name, message }) {
        return { code, name, message }
      }
    },
    publishFunction: () => commands.fails('publish', 't', () => {}),
    throwAtNext: (topic) => {
      process.once('uncaughtException', ({ message }) => context.send({ uncaught: message }))
      context.subscribe(topic, () => {
        throw new Error('thrown by a listener')
      })
    }
  }
  context.onRequest(([command, ...args]) => commands[command](...args))
  // With processes: 0 nothing else keeps the program.
  setInterval(() => {}, 2 ** 30)
  context.ready()
}
