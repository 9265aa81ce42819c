'use strict'

// What is in the packages of a release.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { glibcFloor, compareVersions } = require('../../scripts/release/elf')
const { platforms } = require('../../scripts/release/targets')
const version = require('../../lib/version')
const { directory, root } = require('../helpers')
const { NAMES, TUPLE, app, unpack } = require('./packages')

const ADDON = `rspool.${TUPLE}.node`

test('every package has the licence, the notices of all that is in it, and a bill of materials', (t) => {
  const dir = directory(t, {})
  for (const name of NAMES) {
    const place = path.join(dir, name)
    unpack(name, place)
    const text = (file) => fs.readFileSync(path.join(place, file), 'utf8')
    const manifest = JSON.parse(text('package.json'))
    const bill = JSON.parse(text('sbom.cdx.json'))
    const notices = text('THIRD-PARTY-NOTICES.txt')
    t.is(manifest.name, name)
    t.is(manifest.version, version)
    t.is(text('LICENSE'), fs.readFileSync(path.join(root, 'LICENSE'), 'utf8'))
    t.is(bill.bomFormat, 'CycloneDX')
    t.is(bill.metadata.component.purl, `pkg:npm/${name}@${version}`)
    t.true(bill.components.length > 10, name)
    t.regex(notices, /^The Rust standard library/m)
    for (const component of bill.components) {
      t.true(notices.includes(`${component.name} ${component.version}, `), `${name}: ${component.name}`)
      t.regex(component.hashes[0].content, /^[0-9a-f]{64}$/)
      t.truthy(component.licenses[0].expression)
    }
  }
})

test('the package of a platform is for that platform alone', (t) => {
  const dir = directory(t, {})
  for (const { tuple, os, cpu, libc } of platforms()) {
    const place = path.join(dir, tuple)
    unpack(`rspool-${tuple}`, place)
    const manifest = JSON.parse(fs.readFileSync(path.join(place, 'package.json'), 'utf8'))
    t.deepEqual([manifest.os, manifest.cpu, manifest.libc], [[os], [cpu], libc && [libc]])
    t.true(fs.existsSync(path.join(place, manifest.main)))
    t.deepEqual(fs.readdirSync(place).sort(), [
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES.txt',
      'package.json',
      `rspool.${tuple}.node`,
      'sbom.cdx.json'
    ])
  }
})

test('the package has no script, no addon, no tests, and names each platform with its own version', (t) => {
  const dir = path.join(directory(t, {}), 'rspool')
  unpack('rspool', dir)
  const manifest = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'))
  for (const key of ['scripts', 'devDependencies', 'dependencies']) t.is(manifest[key], undefined, key)
  t.deepEqual(
    manifest.optionalDependencies,
    Object.fromEntries(platforms().map(({ tuple }) => [`rspool-${tuple}`, version]))
  )
  const files = fs.readdirSync(dir, { recursive: true })
  t.deepEqual(
    files.filter((file) => /\.node$|\.spec\.|(^|[/\\])(tests\.rs$|tests?[/\\])/.test(file)),
    []
  )
})

test('the addon holds no path of the machine that built it', (t) => {
  const bytes = fs.readFileSync(path.join(app(t, {}), 'node_modules', `rspool-${TUPLE}`, ADDON))
  for (const place of [os.homedir(), root, '/.cargo/', '/.rustup/']) t.false(bytes.includes(place), place)
})

const onGnu = TUPLE.endsWith('-gnu') ? test : test.skip

onGnu('the glibc that an addon needs is read from it', (t) => {
  const floor = glibcFloor(fs.readFileSync(path.join(root, ADDON)))
  t.log(`this build needs glibc ${floor}`)
  t.true(compareVersions(floor, process.report.getReport().header.glibcVersionRuntime) <= 0)
  t.is(glibcFloor(Buffer.from('MZ')), undefined)
})

test('versions compare by number', (t) => {
  t.deepEqual(['2.34', '2.4', '2.17', '2.2.5'].sort(compareVersions), ['2.2.5', '2.4', '2.17', '2.34'])
})
