'use strict'

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'builds the addon from source, where no prebuilt package exists',
  usage: '[-- arguments of cargo]',
  details: 'Needs a Rust toolchain (https://rustup.rs). The file is put beside package.json of the installed rspool.',
  passes: true,
  run({ rest }) {
    const { build, orExit } = require('../build-addon')
    orExit(() => build(rest))
  }
}
