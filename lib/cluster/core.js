'use strict'

// Core's cluster module, with the type that its CommonJS form has.

/** @type {import('node:cluster').Cluster} */
module.exports = /** @type {import('node:cluster').Cluster} */ (/** @type {unknown} */ (require('node:cluster')))
