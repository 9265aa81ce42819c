'use strict'

// `node scripts/release/build.js <target>`: builds the addon that is published for a target, and puts it beside
// package.json. For Linux it needs cargo-zigbuild, and links against the glibc version that --glibc names.

const { parseArgs } = require('node:util')
const { build, orExit } = require('../../lib/cli/build-addon')
const { tupleOf } = require('./targets')

const { values, positionals } = parseArgs({ options: { glibc: { type: 'string' } }, allowPositionals: true })
const [target] = positionals
const name = target.endsWith('-gnu') && values.glibc !== undefined ? `${target}.${values.glibc}` : target
const command = target.includes('linux') ? 'zigbuild' : 'build'
// A musl addon is a shared library: it links the libc of the process that loads it.
const flags = target.endsWith('-musl') ? ['-Ctarget-feature=-crt-static'] : []

orExit(() => build(['--locked', '--target', name], { tuple: tupleOf(target), command, flags }))
