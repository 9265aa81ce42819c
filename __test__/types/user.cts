// What a user writes, in a CommonJS module. It is compiled, never run.

import rspool = require('rspool')

const counters: rspool.AtomicCounters<'rows'> = new rspool.AtomicCounters(['rows'])
const rows: number = counters.add('rows', 2n) + rspool.cpuCount()

export = rows
