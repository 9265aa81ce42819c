'use strict'

// `Promise.withResolvers`, which Node has from 22 on.

/** @returns {{ promise: Promise<any>, resolve: (value?: any) => void, reject: (error: Error) => void }} */
function withResolvers() {
  /** @type {any} */
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

module.exports = { withResolvers }
