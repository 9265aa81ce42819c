'use strict'

// The files of workers that no code requires by a literal name: a thread starts from one, scripts import another. Tools that
// trace the files of an app (@vercel/nft, Next.js) copy a file if they find its path written like this.

const path = require('node:path')

module.exports = {
  BOOTSTRAP: path.join(__dirname, 'bootstrap.js'),
  /** `rspool/worker`, for a script that is copied without being traced. */
  API: path.join(__dirname, 'api.js'),
  ESBUILD_HOOKS: path.join(__dirname, 'esbuild-hooks.mjs')
}
