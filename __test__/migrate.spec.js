'use strict'

// The "before" of each page on coming from another package is true too: a fence ```js before is run with
// that package, where it is installed, and prints what its comments say. The rest of the pages is
// checked with the other documents.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { directory, node } = require('./helpers')
const { root, pages, read, fences, shown } = require('./pages')

/** The packages that code asks for, without those of Node.js and its own files. @param {string} code */
function packages(code) {
  const names = Array.from(code.matchAll(/(?:from |require\()'([^']+)'/g), ([, name]) => name)
  return names.filter((name) => !/^(node:|\.)/.test(name))
}

/** @param {string} name */
function isInstalled(name) {
  return fs.existsSync(path.join(root, 'node_modules', name))
}

for (const page of pages.filter((file) => file.startsWith('docs/migrate/'))) {
  const all = fences(read(page))
  const before = all.find(({ info }) => info.includes('before'))
  if (before === undefined || !packages(before.code).every(isInstalled)) continue

  test(`what ${page} shows as before runs`, async (t) => {
    const files = all.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code]]))
    const dir = directory(t, Object.fromEntries(files))
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'), 'junction')
    const prints = shown(before.code)
    // A busy machine has poolifier 5 leave promises unsettled, mostly the one of destroy(): Node.js ends with 13.
    const isDone = ({ code, stdout }) => code === 0 || (code === 13 && stdout.trimEnd() === prints.join('\n'))
    let ended
    for (let tries = 0; tries < 4 && (ended === undefined || !isDone(ended)); tries++)
      ended = await node([before.name], { cwd: dir })
    t.true(isDone(ended), ended.stderr)
    t.deepEqual(ended.stdout.trimEnd().split('\n'), prints)
  })

  test(`what ${page} shows as after prints what it was before`, (t) => {
    const printed = ({ code }) => Array.from(code.matchAll(/console\.log\(.*\/\/ (.+)$/gm), ([, text]) => text)
    const after = all.filter(({ info }) => info.includes('runnable')).map(printed)
    t.true(after.length > 0)
    for (const texts of after) t.is(texts.length, printed(before).length)
  })
}

test('there are pages to check', (t) => {
  const checked = pages.filter((page) => fences(read(page)).some(({ info }) => info.includes('before')))
  t.true(checked.includes('docs/migrate/worker-threads.md') && checked.length >= 7)
})
