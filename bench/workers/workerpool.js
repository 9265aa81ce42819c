'use strict'

const workerpool = require('workerpool')

workerpool.worker({
  echo: (value) => value,
  bounce: (buffer) => new workerpool.Transfer(buffer, [buffer.buffer])
})
