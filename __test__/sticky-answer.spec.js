'use strict'

// The answers that one process passes on for another, as Node.js writes them.

const http = require('node:http')
const net = require('node:net')
const { once } = require('node:events')
const test = require('ava')
const { Answer } = require('../lib/cluster/sticky/answer')

/** The kinds of answers. Each ends its connection, so that all of its bytes are known. */
const KINDS = {
  'with a length': (response) => response.setHeader('content-length', 6).end('012345'),
  'with a length of nothing': (response) => response.end(),
  'in chunks': (response) => {
    response.write('0')
    response.end('1'.repeat(300))
  },
  'in chunks of nothing': (response) => {
    response.setHeader('transfer-encoding', 'chunked')
    response.end()
  },
  'with trailers': (response) => {
    response.setHeader('trailer', ['x-one', 'x-two'])
    response.write('\r\n0\r\n\r\n')
    response.addTrailers({ 'x-one': '1', 'x-two': 'a:b' })
    response.end()
  },
  'until the connection ends': (response) => {
    response.removeHeader('transfer-encoding')
    response.write('01')
    response.end('23')
  },
  'without a body': (response) => {
    response.statusCode = 204
    response.end()
  },
  'to a client that has it already': (response) => {
    response.statusCode = 304
    response.setHeader('content-length', 100)
    response.end()
  },
  'after others': (response) => {
    response.writeContinue()
    response.writeProcessing()
    response.writeEarlyHints({ link: ['</a>; rel=preload', '</b>; rel=preload'] })
    response.end('6')
  },
  'with odd headers': (response) => {
    response.writeHead(299, 'Hm: \xe9', ['X-Empty', '', 'x-colons', ':a: b', 'X-Late', '\xff', 'x-empty', ''])
    response.end('7')
  },
  'with no message': (response) => {
    response.writeHead(200, '')
    response.end('8')
  }
}

async function bytesOf(t, kind, method) {
  const server = http.createServer((_, response) => KINDS[kind](response)).listen(0)
  t.teardown(() => server.close())
  await once(server, 'listening')
  const socket = net.connect(server.address().port)
  socket.write(`${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return Buffer.concat(await socket.toArray())
}

/** What is told of an answer whose bytes come in the given pieces. */
function read(pieces, bodyless) {
  const told = { before: [], body: '', ended: 0 }
  const add = (chunk) => {
    told.body += chunk.toString('latin1')
  }
  const answer = new Answer(
    {
      onInformation: (head) => told.before.push(head),
      onHead: (head) => Object.assign(told, head),
      onData: add,
      onEnd: (trailers, chunk) => {
        told.ended++
        told.trailers = trailers
        if (chunk !== undefined) add(chunk)
      }
    },
    bodyless
  )
  for (const piece of pieces) answer.read(piece)
  told.complete = answer.close()
  return told
}

for (const method of ['GET', 'HEAD'])
  for (const kind of Object.keys(KINDS)) {
    // Node.js writes no trailers without a body.
    if (method === 'HEAD' && kind === 'with trailers') continue
    test(`an answer to ${method} ${kind} is the same wherever its bytes are cut`, async (t) => {
      const bytes = await bytesOf(t, kind, method)
      const whole = read([bytes], method === 'HEAD')
      t.true(whole.complete)
      t.is(whole.ended, 1)
      t.false(whole.keeps)
      for (let at = 1; at < bytes.length; at++)
        t.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)], method === 'HEAD'), whole)
      const each = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
      t.deepEqual(read(each, method === 'HEAD'), whole)
    })
  }

test('what an answer contains is read as it was written', async (t) => {
  const of = async (kind) => read([await bytesOf(t, kind, 'GET')], false)
  t.like(await of('with a length'), { status: 200, message: 'OK', body: '012345' })
  t.is((await of('in chunks')).body, `0${'1'.repeat(300)}`)
  t.like(await of('with trailers'), { body: '\r\n0\r\n\r\n', trailers: ['x-one', '1', 'x-two', 'a:b'] })
  t.is((await of('until the connection ends')).body, '0123')
  const after = await of('after others')
  t.deepEqual(
    after.before.map(({ status }) => status),
    [100, 102, 103]
  )
  t.is(after.before[2].rawHeaders.filter((text) => text === 'Link').length > 0, true)
  const odd = await of('with odd headers')
  t.like(odd, { status: 299, message: 'Hm: \xe9' })
  t.deepEqual(odd.rawHeaders.slice(0, 8), ['X-Empty', '', 'x-colons', ':a: b', 'X-Late', '\xff', 'x-empty', ''])
  t.is((await of('with no message')).message, '')
})

test('an answer that ends too early is not complete, and bytes after an answer are refused', async (t) => {
  const bytes = await bytesOf(t, 'in chunks', 'GET')
  t.false(read([bytes.subarray(0, -1)], false).complete)
  t.throws(() => read([Buffer.concat([bytes, Buffer.from('x')])], false))
  t.throws(() => read([Buffer.from('SSH-2.0\r\n\r\n')], false))
  t.throws(() => read([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n')], false))
})
