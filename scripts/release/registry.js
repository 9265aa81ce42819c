'use strict'

// An npm registry in memory, for dry runs of the release. Packages that are published to it can be installed from it.

const http = require('node:http')

/** @typedef {{ dist: { tarball: string } }} Manifest */
/** @typedef {{ name: string, versions: Record<string, Manifest>, 'dist-tags': Record<string, string> }} Packument */
/** @typedef {Packument & { _attachments: Record<string, { data: string }> }} Published */

/** @param {http.IncomingMessage} request @returns {Promise<string>} */
async function textOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** @returns {Promise<{ url: string, names: () => string[], close: () => Promise<void> }>} */
async function startRegistry() {
  /** @type {Map<string, Packument>} */
  const packages = new Map()
  /** @type {Map<string, Buffer>} */
  const tarballs = new Map()
  let url = ''

  /** @param {Published} published */
  const take = ({ _attachments: attachments, ...packument }) => {
    const { name, versions } = packument
    const there = packages.get(name)
    packages.set(name, { ...packument, versions: { ...there?.versions, ...versions } })
    for (const [file, { data }] of Object.entries(attachments)) {
      const place = `/${name}/-/${file}`
      tarballs.set(place, Buffer.from(data, 'base64'))
      for (const manifest of Object.values(versions)) manifest.dist.tarball = new URL(place, url).href
    }
  }

  const server = http.createServer(async (request, response) => {
    const place = decodeURIComponent(new URL(request.url ?? '/', url).pathname)
    const json = (/** @type {number} */ status, /** @type {unknown} */ body) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method === 'PUT') {
      take(JSON.parse(await textOf(request)))
      return json(201, { ok: true })
    }
    const tarball = tarballs.get(place)
    if (tarball !== undefined) return response.writeHead(200, { 'content-length': tarball.length }).end(tarball)
    const packument = packages.get(place.slice(1))
    return packument === undefined ? json(404, { error: 'not found' }) : json(200, packument)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  url = `http://127.0.0.1:${port}/`
  return {
    url,
    names: () => [...packages.keys()],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

module.exports = { startRegistry }
