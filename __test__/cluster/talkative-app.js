'use strict'

// Has more to say at its end than a pipe holds.

module.exports = async ({ onDrain, send }) => {
  const keep = setInterval(() => {}, 1000)
  onDrain(() => {
    clearInterval(keep)
    for (let line = 1; line <= Number(process.env.LINES); line++)
      console.log(`line ${line} of ${process.env.LINES} ${'x'.repeat(100)}`)
    send('said all')
  })
}
