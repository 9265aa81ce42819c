'use strict'

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a folder for native tasks of your own, in Rust, that works at once',
  usage: '<name>',
  details:
    'Makes the folder <name>: a crate with a task and its test, a package that loads it, and a workflow that builds it for each platform. <name> is what its tasks have before the dot, as in <name>.count: letters and digits.',
  options: { into: { type: 'string', value: '<folder>', help: 'makes this folder instead' } },
  takes: [1, 1],
  run({ values, args: [name] }) {
    const { makeTaskFolder } = require('../task-folder')
    const folder = makeTaskFolder(name, values.into ?? name)
    console.log(`${folder} is made. Next:\n  npx rspool build-task ${folder}\n  cd ${folder} && npm test`)
  }
}
