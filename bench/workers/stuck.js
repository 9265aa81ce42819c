'use strict'

/** Never answers. */
module.exports = () => new Promise(() => {})
