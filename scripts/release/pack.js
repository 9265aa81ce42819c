'use strict'

// Makes the packages of a release: one per platform, around its addon, and the package itself, which names the others as
// its optional dependencies. Each holds the licence, the third-party notices and a bill of materials.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const manifest = require('../../package.json')
const { compareVersions, glibcFloor } = require('./elf')
const { root } = require('./crates')
const { noticesText } = require('./notices')
const { sbom } = require('./sbom')
const { platforms } = require('./targets')

const usage = `Usage: node scripts/release/pack.js <folder of the addons> <folder for the packages> [--glibc 2.17] [--dry]

The addons are named rspool.<platform>.node, as the build names them.
  --glibc  refuses an addon that needs a newer glibc
  --dry    packs something in place of an addon that is not there: to try the release on one machine`

const NOTICES = 'THIRD-PARTY-NOTICES.txt'
const SBOM = 'sbom.cdx.json'
const { name, version, description, keywords, license, repository, bugs, homepage, engines } = manifest
const shared = { version, description, keywords, license, repository, bugs, homepage, engines }

/** @typedef {{ text: string | Buffer } | { from: string }} Content the bytes themselves, or the file that has them */

/** Folders of the building machine, whose paths must not be in a published file. */
function buildersPaths() {
  const cargo = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  return [cargo, path.join(os.homedir(), '.rustup'), root]
}

/** Throws if the addon is not fit to be published. @param {string} file @param {Buffer} bytes @param {string | undefined} glibc */
function check(file, bytes, glibc) {
  for (const place of buildersPaths()) {
    if (bytes.includes(place)) throw new Error(`${file} holds the path ${place} of the machine that built it`)
  }
  const floor = glibcFloor(bytes)
  if (floor !== undefined) console.log(`${path.basename(file)} needs glibc ${floor} or newer`)
  if (glibc !== undefined && floor !== undefined && compareVersions(floor, glibc) > 0)
    throw new Error(`${file} needs glibc ${floor}, which is newer than ${glibc}`)
}

/** @param {string[]} args @param {string} cwd */
function npm(args, cwd) {
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32'
  })
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stderr}`)
  return stdout
}

/**
 * Makes a package of these files, as the archive that `npm pack` writes.
 * @param {Record<string, unknown>} description its package.json
 * @param {Record<string, Content>} files
 * @param {string} out
 */
function archive(description, files, out) {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-pack-'))
  try {
    /** @type {Record<string, Content>} */
    const all = { ...files, 'package.json': { text: `${JSON.stringify(description, null, 2)}\n` } }
    for (const [place, content] of Object.entries(all)) {
      const file = path.join(staging, place)
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, 'from' in content ? fs.readFileSync(content.from) : content.text)
    }
    npm(['pack', '--ignore-scripts', '--pack-destination', out], staging)
  } finally {
    fs.rmSync(staging, { recursive: true, force: true })
  }
}

/** The files that every package holds. @param {string} packageName @param {string[]} targets */
function legal(packageName, targets) {
  return {
    LICENSE: { from: path.join(root, 'LICENSE') },
    [NOTICES]: { text: noticesText(targets) },
    [SBOM]: { text: `${JSON.stringify(sbom(packageName, targets), null, 2)}\n` }
  }
}

/** @param {import('./targets').Platform} platform @param {Buffer} addon @param {string} out */
function packPlatform({ target, tuple, os, cpu, libc }, addon, out) {
  const main = `rspool.${tuple}.node`
  const own = `${name}-${tuple}`
  const systems = { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) }
  const files = {
    ...legal(own, [target]),
    [main]: { text: addon },
    'README.md': { text: `# ${own}\n\nThe addon of [${name}](${homepage}) for ${target}.\n` }
  }
  archive({ name: own, ...shared, main, ...systems, files: [main, NOTICES, SBOM] }, files, out)
}

/** The files of the package, without the addon of a checkout. */
function ownFiles() {
  const [{ files }] = JSON.parse(npm(['pack', '--dry-run', '--json', '--ignore-scripts'], root))
  const places = files.map((/** @type {{ path: string }} */ file) => file.path)
  return places.filter((/** @type {string} */ place) => !place.endsWith('.node') && place !== 'package.json')
}

/** @param {string} out */
function packMain(out) {
  const all = platforms()
  // The first five are fields that only a checkout needs.
  const { devDependencies, scripts, allowScripts, overrides, napi, ...published } = manifest
  const files = Object.fromEntries(
    ownFiles().map((/** @type {string} */ place) => [place, { from: path.join(root, place) }])
  )
  const description = {
    ...published,
    files: [...published.files, NOTICES, SBOM],
    optionalDependencies: Object.fromEntries(all.map(({ tuple }) => [`${name}-${tuple}`, version]))
  }
  const targets = all.map(({ target }) => target)
  archive(description, { ...files, ...legal(name, targets) }, out)
}

/** @param {string} addons @param {string} out @param {{ glibc?: string, dry?: boolean }} options */
function packRelease(addons, out, { glibc, dry }) {
  fs.rmSync(out, { recursive: true, force: true })
  fs.mkdirSync(out, { recursive: true })
  for (const platform of platforms()) {
    const file = path.join(addons, `rspool.${platform.tuple}.node`)
    const there = fs.existsSync(file)
    if (!there && !dry) throw new Error(`${file} is not there`)
    const bytes = there ? fs.readFileSync(file) : Buffer.from('a dry run')
    if (there) check(file, bytes, glibc)
    packPlatform(platform, bytes, out)
  }
  packMain(out)
  for (const file of fs.readdirSync(out)) {
    console.log(`${file}: ${(fs.statSync(path.join(out, file)).size / 1000).toFixed(0)} kB`)
  }
}

if (require.main === module) {
  const { values, positionals } = parseArgs({
    options: { glibc: { type: 'string' }, dry: { type: 'boolean' } },
    allowPositionals: true
  })
  if (positionals.length !== 2) {
    console.error(usage)
    process.exit(2)
  }
  const [addons, out] = positionals.map((folder) => path.resolve(folder))
  packRelease(addons, out, values)
}

module.exports = { packRelease }
