'use strict'

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'the TypeScript types of the native tasks in a library',
  usage: '<file or folder>',
  details: 'Prints them. The library is loaded for that: its code runs.',
  takes: [1, 1],
  async run({ args: [place] }) {
    const { typesOf } = require('../task-types')
    process.stdout.write(await typesOf(place))
  }
}
