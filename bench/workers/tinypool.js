'use strict'

const tinypool = import('tinypool')

module.exports = (value) => value
module.exports.bounce = async (buffer) => (await tinypool).default.move(buffer)
