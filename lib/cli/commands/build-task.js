'use strict'

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'builds the native tasks in a folder that new-task has made',
  usage: '[folder] [-- arguments of cargo]',
  details:
    'Needs a Rust toolchain (https://rustup.rs). Puts the library beside package.json, and what it says of its tasks into index.d.ts.',
  options: { debug: { type: 'boolean', help: 'quick to build, slow to run, with checks' } },
  takes: [0, 1],
  passes: true,
  async run({ values, args: [folder = '.'], rest }) {
    const { buildTask } = require('../build-task')
    for (const file of await buildTask(folder, { debug: values.debug === true, args: rest }))
      console.log(`${file} is written`)
  }
}
