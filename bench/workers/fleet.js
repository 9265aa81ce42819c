'use strict'

exports.tiny = (/** @type {{ i: number }} */ { i }) => i + 1
exports.big = (/** @type {{ body: string }} */ { body }) => body.length
