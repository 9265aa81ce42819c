'use strict'

// Runs at `npm install`: builds the addon, unless there is a prebuilt one or nothing to build from.

const fs = require('node:fs')
const path = require('node:path')
const { platformTuple } = require('../lib/native/platform')
const { build, orExit } = require('../lib/cli/build-addon')

function hasPrebuilt() {
  try {
    require.resolve(`rspool-${platformTuple()}`)
    return true
  } catch {
    return false
  }
}

const forced = process.env.npm_config_build_from_source === 'true'
const hasSources = fs.existsSync(path.join(__dirname, '..', 'Cargo.toml'))
if (hasSources && (forced || !hasPrebuilt())) orExit(build)
