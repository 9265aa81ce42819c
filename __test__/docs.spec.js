'use strict'

// The pages say what is true: their examples run and print what they show, and every error code is explained.
//
// All files that a page names are written into one folder, then its programs run there, one after another: with what
// the reader sees, and nothing else. What a program prints is compared with the fence ```text output after it, or with
// the comments behind its console.log calls. A `server` is asked what the `curl` lines after it say.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { builtinModules } = require('node:module')
const test = require('ava')
const { directory, fixture, node } = require('./helpers')
const { root, pages, read, fences, shown } = require('./pages')

/** What the fence at `i` is to print; undefined where the page does not say. */
function expected(all, i) {
  if (all[i + 1]?.lang === 'text' && all[i + 1].info.includes('output')) return all[i + 1].code.trimEnd()
  const texts = shown(all[i].code)
  return texts.length > 0 ? texts.join('\n') : undefined
}

/** The packages that a page imports, where a reader would have installed them. */
function link(dir, all) {
  const names = all.flatMap(({ code }) =>
    Array.from(code.matchAll(/(?:from |import |import\(|require\()'((?:@[\w.-]+\/)?[\w.-]+)/g), ([, name]) => name)
  )
  for (const name of new Set(['rspool', ...names])) {
    const home = name === 'rspool' ? root : path.join(root, 'node_modules', name)
    if (builtinModules.includes(name) || !fs.existsSync(home)) continue
    const place = path.join(dir, 'node_modules', name)
    fs.mkdirSync(path.dirname(place), { recursive: true })
    fs.symlinkSync(home, place, 'junction')
  }
}

/** The requests of a fence: `curl 'http://localhost:3000/path'   # what it answers`. */
function requests({ lang, code } = {}) {
  if (lang !== 'sh') return []
  const pattern = /^curl (?<args>.*)'http:\/\/localhost:\d+(?<url>[^']*)'\s+# (?<answer>.+)$/gm
  return Array.from(code.matchAll(pattern), ({ groups }) => groups)
}

/** Starts a server, asks it, and ends it as an operator would. */
async function serve(t, dir, name, wanted) {
  const options = `${process.env.NODE_OPTIONS ?? ''} --require=${JSON.stringify(fixture('tell-port.cjs'))}`
  const env = { ...process.env, NODE_OPTIONS: options, PORT: '0' }
  const child = spawn(process.execPath, [name], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const gone = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const [port] = await Promise.race([once(child.stdio[3], 'data'), gone])
  if (!(port instanceof Buffer)) return t.fail(`${name} ended: ${output}`)
  for (const { args, url, answer } of wanted) {
    const body = /--data-binary '([^']*)'/.exec(args)?.[1]
    const response = await fetch(
      `http://localhost:${Number(port)}${url}`,
      body === undefined ? {} : { method: 'POST', body }
    )
    t.is((await response.text()).trimEnd(), answer, `${name}: ${url}`)
  }
  child.kill('SIGTERM')
  const [code, signal] = await gone
  t.true(code === 0 || signal === 'SIGTERM', `${name} ended with ${code ?? signal}: ${output}`)
}

for (const page of pages) {
  const all = fences(read(page))
  const programs = all.flatMap(({ info }, i) => (info.some((word) => /^(runnable|server)$/.test(word)) ? [i] : []))
  if (programs.length === 0) continue

  test(`the examples of ${page} run`, async (t) => {
    const files = all.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code]]))
    const dir = directory(t, Object.fromEntries(files))
    link(dir, all)
    for (const i of programs) {
      const { name, info, line } = all[i]
      if (info.includes('server')) {
        await serve(t, dir, name, requests(all[i + 1]))
        continue
      }
      const { code, stdout, stderr } = await node([name], { cwd: dir })
      t.is(code, 0, `${page}:${line}: ${stderr}`)
      const output = expected(all, i)
      if (output !== undefined) t.is(stdout.trimEnd(), output, `${page}:${line}`)
    }
    t.pass()
  })
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
      t.regex(name, /\.[cm][jt]s$|^\w+\.config\.js$/, `${page}:${line}`)
      const isModule = /^(import|export) /m.test(code)
      const isCommon = /\brequire\('|\bmodule\.exports\b|^exports\./m.test(
        code.replace(/=> [^\n]*require\('[^\n]*/g, '')
      )
      if (/\.m[jt]s$/.test(name)) t.false(isCommon, `${page}:${line} is a module`)
      else t.false(isModule, `${page}:${line} is no module`)
    }
  }
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
