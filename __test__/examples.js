'use strict'

// Runs the examples of a page.
//
// All files that the page names are written into one folder, then its programs run there, one after another: with what
// the reader sees, and nothing else. What a program prints is compared with the fence ```text output after it, or with
// the comments behind its console.log calls. A `server` is asked what the `curl` lines after it say.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { builtinModules } = require('node:module')
const { directory, fixture, node } = require('./helpers')
const { root, read, fences, shown } = require('./pages')

/** What the fence at `i` is to print; undefined where the page does not say. */
function expected(all, i) {
  if (all[i + 1]?.lang === 'text' && all[i + 1].info.includes('output')) return all[i + 1].code.trimEnd()
  const texts = shown(all[i].code)
  return texts.length > 0 ? texts.join('\n') : undefined
}

/** Where a package may be. @param {string} name */
const homesOf = (name) => ['site/node_modules', 'node_modules'].map((folder) => path.join(root, folder, name))

/** The packages that a page imports, where a reader would have installed them. */
function link(dir, all) {
  const names = all.flatMap(({ code }) =>
    Array.from(code.matchAll(/(?:from |import |import\(|require\()'((?:@[\w.-]+\/)?[\w.-]+)/g), ([, name]) => name)
  )
  if (all.some(({ lang }) => lang === 'ts')) names.push('tsx')
  for (const name of new Set(['rspool', ...names])) {
    const homes = name === 'rspool' ? [root] : homesOf(name)
    const home = homes.find((folder) => fs.existsSync(folder))
    if (name.startsWith('.') || builtinModules.includes(name) || home === undefined) continue
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
  const child = spawn(process.execPath, argumentsFor(name), {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const gone = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const [port] = await Promise.race([once(child.stdio[3], 'data'), gone])
  if (!(port instanceof Buffer)) return t.fail(`${name} ended: ${output}`)
  for (const { args, url, answer } of wanted) {
    const body = /--data-binary '([^']*)'/.exec(args)?.[1]
    const request = { headers: { connection: 'close' }, ...(body === undefined ? {} : { method: 'POST', body }) }
    const response = await fetch(`http://localhost:${Number(port)}${url}`, request)
    t.is((await response.text()).trimEnd(), answer, `${name}: ${url}`)
  }
  child.kill('SIGTERM')
  const [code, signal] = await gone
  // 143: of a cluster whose drain took longer than its grace, on a busy machine.
  t.true(code === 0 || code === 143 || signal === 'SIGTERM', `${name} ended with ${code ?? signal}: ${output}`)
}

/** Where the programs of a page are among its fences. */
function programsOf(page) {
  return fences(read(page)).flatMap(({ info }, i) => (info.some((word) => /^(runnable|server)$/.test(word)) ? [i] : []))
}

/** Node.js 20 has no TypeScript of its own. */
const argumentsFor = (name) => (/\.[cm]?ts$/.test(name) ? ['--import', 'tsx', name] : [name])

/**
 * @param {import('ava').ExecutionContext} t
 * @param {string} page
 */
async function runExamples(t, page) {
  const all = fences(read(page))
  const files = all.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code]]))
  const dir = directory(t, Object.fromEntries(files))
  link(dir, all)
  for (const i of programsOf(page)) {
    const { name, info, line } = all[i]
    if (info.includes('server')) {
      await serve(t, dir, name, requests(all[i + 1]))
      continue
    }
    const { code, stdout, stderr } = await node(argumentsFor(name), { cwd: dir })
    t.is(code, 0, `${page}:${line}: ${stderr}`)
    const output = expected(all, i)
    if (output !== undefined) t.is(stdout.trimEnd(), output, `${page}:${line}`)
  }
}

module.exports = { programsOf, runExamples }
