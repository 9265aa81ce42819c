'use strict'

// A server of socket.io in each process, which is told what to do.

const http = require('node:http')
const { Server } = require('socket.io')
const { createAdapter } = require('rspool/socket.io')

module.exports = (context) => {
  const server = http.createServer()
  const io = new Server(server, { adapter: createAdapter(context), pingInterval: 5000 })
  context.sticky(io)
  io.engine.on('connection_error', ({ code, message }) => context.send({ refused: message, code }))
  for (const nsp of [io, io.of('/other'), io.of(/^\/dynamic-/)]) {
    nsp.on('connection', (socket) => {
      socket.data.slot = context.slot
      socket.on('join', (room, done) => {
        socket.join(room)
        done()
      })
      socket.on('where', (done) => done([context.slot, context.generation, socket.id]))
      socket.on('binary', (bytes, done) => done(bytes))
      socket.on('relay', (room, ...args) => socket.to(room).emit('relayed', ...args))
    })
  }
  io.on('question', (text, answer) => answer?.(`${text} ${context.slot}`))
  io.on('told', (text) => context.send({ told: text, slot: context.slot }))
  process.on('warning', ({ code, message }) => context.send({ warning: code, message }))
  const select = ({ of = '/', rooms = [], except = [], local = false, timeout } = {}) => {
    let all = io.of(of)
    for (const room of rooms) all = all.to(room)
    for (const room of except) all = all.except(room)
    if (local) all = all.local
    return timeout === undefined ? all : all.timeout(timeout)
  }
  const commands = {
    emit: (to, ...args) => void select(to).emit(...args),
    emitWithAck: (to, ...args) => select(to).emitWithAck(...args),
    fetch: async (to) =>
      (await select(to).fetchSockets()).map(({ id, rooms, data, handshake }) => ({
        id,
        rooms: [...rooms],
        data,
        url: handshake.url
      })),
    join: (to, room) => void select(to).socketsJoin(room),
    leave: (to, room) => void select(to).socketsLeave(room),
    disconnect: (to) => void select(to).disconnectSockets(true),
    tell: (text) => void io.serverSideEmit('told', text),
    question: (text) => io.serverSideEmitWithAck('question', text),
    /** Emits at one client of this process to all in a room but itself. */
    servers: async () => io.of('/').adapter.serverCount(),
    block: () => {
      setImmediate(() => {
        for (;;);
      })
    }
  }
  context.onRequest(([command, ...args]) => commands[command](...args))
  server.listen(Number(process.env.APP_PORT), '127.0.0.1')
}
