'use strict'

// Finds specs that wait for a time to pass. A test must wait for the thing it tests: an event, a gate, a mark in shared
// memory. A time that is long enough today is too short on a busy machine, and too long on every other.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** Patterns of such waits. */
const waits = [
  /\bsetTimeout\(\s*(?:resolve|r|done)\b/,
  /\b(?:delay|sleep|pause)\(\s*\d/,
  /\bpromises['"]\)\.setTimeout\(\s*\d/,
  /\bsetTimeout\(\s*\(\)\s*=>\s*(?:resolve|r)\(/
]

/**
 * The lines of a spec that wait for a time to pass.
 * @param {string} text
 * @returns {{ line: number, code: string }[]}
 */
function findWaits(text) {
  const lines = text.split('\n').map((code, at) => ({ line: at + 1, code: code.trim() }))
  return lines.filter(({ code }) => waits.some((wait) => wait.test(code)))
}

function main() {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '__test__/*.js'], { cwd: root })
  let found = 0
  for (const file of String(files).split('\n').filter(Boolean)) {
    if (!fs.existsSync(path.join(root, file))) continue
    for (const { line, code } of findWaits(fs.readFileSync(path.join(root, file), 'utf8'))) {
      found++
      console.error(`${file}:${line}: waits for a time to pass, and should for an event: ${code}`)
    }
  }
  if (found > 0) process.exit(1)
  console.log('no spec waits for a time to pass')
}

if (require.main === module) main()

module.exports = { findWaits }
