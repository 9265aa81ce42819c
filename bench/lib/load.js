'use strict'

// Requests to a server. Some clients each send the next request when they have an answer. Other requests come at a
// steady rate, whether or not the server keeps up.

const http = require('node:http')

/**
 * @param {http.Agent} agent
 * @param {number} port
 * @param {string} route
 * @returns {Promise<number>} bytes of the answer
 */
function get(agent, port, route) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent, port, host: '127.0.0.1', path: route }, (response) => {
      let size = 0
      response.on('data', (chunk) => (size += chunk.length))
      response.on('end', () => {
        if (response.statusCode === 200) resolve(size)
        else reject(new Error(`${route} answered ${response.statusCode}`))
      })
    })
    request.on('error', reject)
  })
}

/**
 * @param {number} port
 * @param {{ clients: number, rate: number, ms: number }} how clients of the heavy route, light requests per second
 * @returns {Promise<{ heavy: number, seconds: number, light: number[] }>} how many heavy requests were answered, and how
 *   long each light request took from the moment at which it was due, in milliseconds
 */
async function load(port, { clients, rate, ms }) {
  const agent = new http.Agent({ keepAlive: true })
  const start = performance.now()
  const end = start + ms
  let heavy = 0
  const client = async () => {
    while (performance.now() < end) {
      await get(agent, port, '/heavy')
      heavy++
    }
  }
  /** @type {number[]} */
  const light = []
  const due = async (/** @type {number} */ at) => {
    await get(agent, port, '/light')
    light.push(performance.now() - at)
  }
  const steady = async () => {
    const sent = []
    for (let next = start; next < end; ) {
      for (const now = performance.now(); next <= now && next < end; next += 1000 / rate) sent.push(due(next))
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
    }
    await Promise.all(sent)
  }
  await Promise.all([steady(), ...Array.from({ length: clients }, client)])
  const seconds = (performance.now() - start) / 1000
  agent.destroy()
  return { heavy, seconds, light }
}

module.exports = { load }
