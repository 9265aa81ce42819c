'use strict'

// Applications that go wrong, each in its way.

const http = require('node:http')
const { isWorker } = require('node:cluster')

const how = process.env.BROKEN
if (how === 'throws at load' && isWorker) throw new Error('broken on purpose')

const listen = () => http.createServer().listen(0)

module.exports = (context) => {
  switch (how) {
    case 'throws':
      throw new Error('broken on purpose')
    case 'rejects':
      return Promise.reject(new Error('broken on purpose'))
    case 'exits':
      return process.exit(0)
    case 'never listens':
      return undefined
    case 'never resolves':
      return new Promise(() => {})
    case 'blocks':
      for (;;);
    // eslint-disable-next-line no-fallthrough
    case 'dies when ready':
      listen().on('listening', () => setTimeout(() => process.exit(1), 20))
      return undefined
    case 'dies in slot 1':
      listen().on('listening', () => {
        if (context.slot === 1) setTimeout(() => process.exit(1), 20)
      })
      return undefined
    default:
      throw new Error(`no such way: ${how}`)
  }
}
