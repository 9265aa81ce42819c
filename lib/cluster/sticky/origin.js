'use strict'

// The properties of a socket that an application may read: where a request comes from, and its TLS data. A relayed
// request comes over a Unix socket, which gives the same answers as the client's socket.

const { X509Certificate } = require('node:crypto')

/**
 * @typedef {import('node:net').Socket} Socket
 * @typedef {object} Secured
 * @property {boolean} authorized
 * @property {string} [authorizationError]
 * @property {string|false|null} alpnProtocol
 * @property {string|false} [servername]
 * @property {string|null} protocol
 * @property {import('node:tls').CipherNameAndProtocol} cipher
 * @property {string} [certificate] of the client, base64
 * @typedef {object} Origin
 * @property {Partial<import('node:net').AddressInfo>} local
 * @property {string} [remoteAddress]
 * @property {number} [remotePort]
 * @property {string} [remoteFamily]
 * @property {Secured} [secured]
 */

/** @param {Socket} socket @returns {Origin} */
function originOf(socket) {
  const { remoteAddress, remotePort, remoteFamily } = socket
  /** @type {Origin} */
  const origin = { local: socket.address(), remoteAddress, remotePort, remoteFamily }
  if ('encrypted' in socket && socket.encrypted) {
    const tls = /** @type {import('node:tls').TLSSocket & { servername?: string|false }} */ (socket)
    origin.secured = {
      authorized: tls.authorized,
      authorizationError: tls.authorizationError?.toString(),
      // Relayed requests are HTTP/1.1.
      alpnProtocol: tls.alpnProtocol && 'http/1.1',
      servername: tls.servername,
      protocol: tls.getProtocol(),
      cipher: tls.getCipher(),
      certificate: tls.getPeerX509Certificate()?.raw.toString('base64')
    }
  }
  return origin
}

/** Makes the socket answer as the one that `origin` describes. @param {Socket} socket @param {Origin} origin */
function disguise(socket, { local, secured, ...remote }) {
  const { address: localAddress, port: localPort, family: localFamily } = local
  const own = /** @type {Record<string, unknown>} */ ({ ...remote, localAddress, localPort, localFamily })
  own.address = () => local
  if (secured !== undefined) {
    const { certificate, protocol, cipher, ...rest } = secured
    const x509 = certificate === undefined ? undefined : new X509Certificate(Buffer.from(certificate, 'base64'))
    Object.assign(own, rest, { encrypted: true })
    own.getProtocol = () => protocol
    own.getCipher = () => cipher
    own.getPeerX509Certificate = () => x509
    own.getPeerCertificate = () => x509?.toLegacyObject() ?? {}
  }
  for (const [name, value] of Object.entries(own))
    Object.defineProperty(socket, name, { value, writable: true, configurable: true })
}

module.exports = { originOf, disguise }
