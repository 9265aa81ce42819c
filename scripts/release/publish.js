'use strict'

// Publishes the packages of a folder. The packages of the platforms come first, since the main package depends on them.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { version } = require('../../package.json')

/** @param {string} folder */
function archivesIn(folder) {
  const main = `rspool-${version}.tgz`
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.tgz') && file !== main)
  return [...files, main].map((file) => path.join(folder, file))
}

/** @param {string} folder @param {string[]} args for npm @param {NodeJS.ProcessEnv} [env] */
async function publish(folder, args, env = process.env) {
  for (const file of archivesIn(folder)) {
    const all = ['publish', file, '--access', 'public', '--ignore-scripts', ...args]
    const code = await new Promise((resolve, reject) => {
      const child = spawn('npm', all, {
        env,
        stdio: ['ignore', 'inherit', 'inherit'],
        shell: process.platform === 'win32'
      })
      child.on('error', reject).on('exit', resolve)
    })
    if (code !== 0) throw new Error(`npm publish ${file} ended with ${code}`)
  }
}

if (require.main === module) {
  const [folder, ...args] = process.argv.slice(2)
  publish(path.resolve(folder), args)
}

module.exports = { publish }
