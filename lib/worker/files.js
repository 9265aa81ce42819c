'use strict'

// The files of workers that no code requires by a literal name: a thread starts from one of them, and scripts import the
// other. Tools that trace the files of an app (@vercel/nft, Next.js) copy a file if its path is written like this.

const path = require('node:path')

module.exports = {
  BOOTSTRAP: path.join(__dirname, 'bootstrap.js'),
  /** The file of `rspool/worker`, for scripts that are copied without being traced. */
  API: path.join(__dirname, 'api.js'),
  ESBUILD_HOOKS: path.join(__dirname, 'esbuild-hooks.mjs')
}
