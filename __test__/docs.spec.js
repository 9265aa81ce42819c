'use strict'

// The pages say what is true: their examples run and print what they show, and every error code is explained.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { AbortError, fromCode } = require('../lib/errors')
const { deadLinks } = require('../scripts/links')
const { programsOf, runExamples } = require('./examples')
const { root, pages, read, fences } = require('./pages')

for (const page of pages) {
  // Those of the recipes need packages that the part `site` has.
  if (page !== 'docs/recipes.md' && programsOf(page).length > 0)
    test(`the examples of ${page} run`, (t) => runExamples(t, page))
}

test('every example is a file with a name, or says that it is a fragment', (t) => {
  const neither = pages.flatMap((page) =>
    fences(read(page))
      .filter(({ lang, name, code }) => /^[cm]?[jt]sx?$/.test(lang) && name === undefined && !code.startsWith('// …'))
      .map(({ line }) => `${page}:${line}`)
  )
  t.deepEqual(neither, [])
})

test('the names of examples say how Node.js is to read them, and no page has two files of one name', (t) => {
  for (const page of pages) {
    const named = fences(read(page)).filter(({ name }) => name !== undefined)
    const names = named.map(({ name }) => name)
    t.deepEqual([...new Set(names)], names, page)
    for (const { name, code, line } of named) {
      t.regex(name, /\.[cm][jt]s$|\.json$|^\w+\.config\.js$/, `${page}:${line}`)
      const isModule = /^(import|export) /m.test(code)
      const isCommon = /\brequire\('|\bmodule\.exports\b|^exports\./m.test(
        code.replace(/=> [^\n]*require\('[^\n]*/g, '')
      )
      if (/\.m[jt]s$/.test(name)) t.false(isCommon, `${page}:${line} is a module`)
      else t.false(isModule, `${page}:${line} is no module`)
    }
  }
})

test('a link to a file or a heading that is not there is found', (t) => {
  const text = '# One\n[a](#one) [b](#two) [c](other.md#there) [d](other.md#gone) [e](none.md) [f](https://a.b/c)\n'
  const textOf = (file) => (file === 'docs/other.md' ? '## There\n' : undefined)
  t.deepEqual(deadLinks('docs/page.md', text, textOf), ['#two', 'other.md#gone', 'none.md'])
})

test('every code is explained in docs/errors.md, at the place that the error itself names, and no other', (t) => {
  const codes = (text) => text.match(/ERR_RSPOOL_[A-Z_]*[A-Z]/g) ?? []
  const sources = ['lib', 'src', 'crates/task/src'].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true })
      .map((file) => path.join(folder, file))
      .filter((file) => /\.(js|rs)$/.test(file))
  )
  const thrown = new Set(sources.flatMap((file) => codes(read(file))))
  const page = read('docs/errors.md')
  t.deepEqual([...new Set(codes(page))].sort(), [...thrown].sort())
  const places = Array.from(page.matchAll(/<a id="([^"]+)"><\/a>`([A-Z_]+)`/g), ([, id, code]) => [code, id])
  t.deepEqual(places.map(([code]) => code).sort(), [...thrown, 'ABORT_ERR'].sort(), 'each code has one place')
  for (const [code, id] of places) {
    const error = code === 'ABORT_ERR' ? new AbortError() : fromCode(code, 'a message')
    t.is(error.url, `https://github.com/rspool/rspool/blob/main/docs/errors.md#${id}`)
  }
})

/** The Rust files whose code, tests and measurements apart, has what the pattern finds. */
function filesWith(pattern) {
  return ['src', 'crates/task/src']
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(root, folder), { recursive: true })
        .map((file) => `${folder}/${file.replaceAll(path.sep, '/')}`)
    )
    .filter((file) => file.endsWith('.rs') && !/\/tests(\.rs$|\/)|_measure\.rs$/.test(file))
    .filter((file) => {
      const [code] = read(file).split('#[cfg(test)]\nmod ')
      return pattern.test(code.replace(/^\s*\/\/.*$/gm, ''))
    })
    .sort()
}

/** The Rust files that a section of docs/ARCHITECTURE.md names in its table. */
function filesNamed(heading) {
  const [, section] = read('docs/ARCHITECTURE.md').split(`\n## ${heading}\n`)
  const rows = section
    .split('\n## ')[0]
    .match(/^\|.*$/gm)
    .join('\n')
  return [...new Set(rows.match(/(?:crates\/task\/)?src\/[\w/]+\.rs/g))].sort()
}

test('the inventories of docs/ARCHITECTURE.md name every file', (t) => {
  t.deepEqual(filesNamed('Inventory of `unsafe`'), filesWith(/\bunsafe (\{|impl|fn|extern)/))
  t.deepEqual(filesNamed('Ordering of each atomic'), filesWith(/\b(Relaxed|Acquire|Release|AcqRel|SeqCst)\b[,)]/))
})

test('every option is in docs/pools.md', (t) => {
  const declarations = read('types/options.d.ts') + read('types/tasks.d.ts')
  const options = ['PoolOptions', 'SharedOptions', 'TaskOptions', 'ScriptOptions', 'RunOptions'].flatMap((name) => {
    const [, body] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(declarations)
    return Array.from(body.matchAll(/^ {2}(\w+)\?:/gm), (match) => match[1])
  })
  t.true(options.length > 20)
  const page = read('docs/pools.md')
  t.deepEqual(
    options.filter((name) => !page.includes(`\`${name}\``)),
    []
  )
})
