import rspool = require('rspool')
import worker = require('rspool/worker')
import names = require('./exports.js')

type Same<A, B> = [A, B] extends [B, A] ? true : false

const main: Same<keyof typeof rspool, (typeof names.main)[number]> = true
const inWorker: Same<keyof typeof worker, (typeof names.worker)[number]> = true
const errors: Same<keyof typeof rspool.errors, (typeof names.errors)[number]> = true

export = { main, inWorker, errors }
