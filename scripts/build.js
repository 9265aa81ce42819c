'use strict'

// Builds the addon in release mode and puts it beside package.json.

const { execFileSync } = require('node:child_process')
const { copyFileSync } = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
execFileSync('cargo', ['build', '--release'], { cwd: root, stdio: 'inherit' })
copyFileSync(
  path.join(root, 'target', 'release', 'librspool.so'),
  path.join(root, `rspool.${process.platform}-${process.arch}-gnu.node`)
)
