'use strict'

// `npm run build`: runs the command `build` of the checkout.

const { build, orExit } = require('../lib/cli/build-addon')

orExit(() => build(process.argv.slice(2)))
