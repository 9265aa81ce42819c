'use strict'

// The pages say what is true: their examples run and print what they show, their links lead somewhere,
// and every error code is explained.
//
// A fence ```js runnable is run as a process of its own, a module if it imports; ```js file=name is a
// file beside the examples of its page. What an example prints is compared with the fence ```text after
// it, or with the comments behind its console.log calls.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')

const root = path.join(__dirname, '..')
const pages = [
  'README.md',
  ...fs.readdirSync(path.join(root, 'docs'), { recursive: true }).map((file) => `docs/${file}`)
]
  .filter((file) => file.endsWith('.md'))
  .sort()

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')

function fences(text) {
  const pattern = /^```(?<lang>\w*)[ \t]*(?<info>.*)\n(?<code>[\s\S]*?)^```$/gm
  return Array.from(text.matchAll(pattern), ({ groups, index }) => ({
    ...groups,
    line: text.slice(0, index).split('\n').length
  }))
}

/** What the fence at `i` is to print; undefined where the page does not say. */
function expected(all, i) {
  if (all[i + 1]?.lang === 'text' && all[i + 1].info === 'output') return all[i + 1].code.trimEnd()
  const shown = Array.from(all[i].code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm), (match) => match[1])
  return shown.length > 0 ? shown.join('\n') : undefined
}

for (const page of pages) {
  const all = fences(read(page))
  const runnable = all.flatMap((fence, i) => (fence.info.split(' ').includes('runnable') ? [i] : []))
  if (runnable.length === 0) continue

  test(`the examples of ${page} run`, async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-docs-'))
    t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
    fs.mkdirSync(path.join(folder, 'node_modules'))
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'rspool'), 'junction')
    for (const { info, code } of all) {
      const file = /(?:^| )file=(\S+)/.exec(info)?.[1]
      if (file !== undefined) fs.writeFileSync(path.join(folder, file), code)
    }
    for (const i of runnable) {
      const { code, line } = all[i]
      const file = path.join(folder, `example-${line}.${/^import /m.test(code) ? 'mjs' : 'cjs'}`)
      fs.writeFileSync(file, code)
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 60_000 }).catch(
        (error) => t.fail(`${page}:${line}: ${error.message}`)
      )
      const output = expected(all, i)
      if (output !== undefined) t.is(stdout.trimEnd(), output, `${page}:${line}`)
    }
    t.pass()
  })
}

test('the links of the pages lead to files and headings that exist', (t) => {
  const slugs = (text) =>
    Array.from(text.matchAll(/^#+ (.+)$/gm), ([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-')
    )
  const broken = []
  for (const page of pages) {
    const prose = read(page).replace(/^```[\s\S]*?^```$/gm, '')
    for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [target, heading] = link.split('#')
      const file = target === '' ? page : path.posix.join(path.posix.dirname(page), target)
      const exists = fs.existsSync(path.join(root, file))
      if (!exists || (heading !== undefined && !slugs(read(file)).includes(heading))) broken.push(`${page}: ${link}`)
    }
  }
  t.deepEqual(broken, [])
})

test('every code of the pool is in docs/errors.md, and no other', (t) => {
  const codes = (text) => text.match(/ERR_RSPOOL_[A-Z_]*[A-Z]/g) ?? []
  const sources = ['lib', 'src'].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true })
      .map((file) => path.join(folder, file))
      .filter((file) => /\.(js|rs)$/.test(file) && !file.startsWith(path.join('lib', 'cluster')))
  )
  const thrown = new Set(sources.flatMap((file) => codes(read(file))))
  t.deepEqual([...new Set(codes(read('docs/errors.md')))].sort(), [...thrown].sort())
})

/** The Rust files whose code, tests apart, has what the pattern finds. */
function filesWith(pattern) {
  return fs
    .readdirSync(path.join(root, 'src'), { recursive: true })
    .map((file) => `src/${file.replaceAll(path.sep, '/')}`)
    .filter((file) => file.endsWith('.rs') && !/\/tests(\.rs$|\/)/.test(file))
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
  return [...new Set(rows.match(/src\/[\w/]+\.rs/g))].sort()
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
