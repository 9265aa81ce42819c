'use strict'

const { execFile, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const test = require('ava')
const analyse = require('../examples/demo/analyse')
const { readArguments, UsageError } = require('../examples/demo/arguments')
const countPrimes = require('../examples/demo/work')
const { differences } = require('../examples/demo/batch')
const { chooseFiles } = require('../examples/demo/files')

const CHROMIUM = '/usr/bin/chromium'
const inBrowser = fs.existsSync(CHROMIUM) ? test : test.skip
const demo = path.join(__dirname, '..', 'examples', 'demo', 'main.js')
const { FORCE_COLOR, NO_COLOR, ...env } = process.env

/** @returns {Promise<{ code: number | string | null, stdout: string, stderr: string }>} */
function run(args, more = {}) {
  return new Promise((resolve) => {
    execFile(process.execPath, [demo, ...args], { env: { ...env, ...more } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr })
    })
  })
}

function folderOf(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-demo-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), content)
  }
  return folder
}

const sample = {
  'a.txt': 'one two two\nthree three three\n',
  'b/c.js': 'const one = 1\n'.repeat(2000),
  'b/image.bin': Buffer.from([0, 1, 2, 3, 0, 255]),
  'target/out.txt': 'left out'
}

test('the same work both ways gives the same results', async (t) => {
  const { code, stdout, stderr } = await run(['--json', '--threads', '2', folderOf(t, sample)])
  t.is(stderr, '')
  t.is(code, 0)
  const { files, bytes, pool, mainThread, different } = JSON.parse(stdout)
  t.is(files, 3)
  t.is(bytes, 30 + 28_000 + 6)
  t.deepEqual(different, [])
  t.is(pool.tasks, 8)
  t.is(mainThread.tasks, 8)
  t.is(
    pool.workers.reduce((all, { completed }) => all + completed, 0),
    8
  )
  for (const { eventLoop } of [pool, mainThread]) {
    t.true(eventLoop.p50 <= eventLoop.p99 && eventLoop.p99 <= eventLoop.max)
  }
})

test('the report is plain lines where there is no terminal', async (t) => {
  const folder = folderOf(t, sample)
  for (const more of [{}, { CI: 'true' }, { NO_COLOR: '1' }]) {
    const { code, stdout, stderr } = await run([folder], more)
    t.is(code, 0)
    t.is(stderr, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what must not be there
    t.notRegex(stdout, /[\u001b\r]/)
    for (const line of [
      /^time +\S+ \S+ +\S+ \S+$/m,
      /^event-loop delay, p99 /m,
      /^ {2}native \d+ +[█░]+ /m,
      /The same both/
    ])
      t.regex(stdout, line)
  }
})

test('colours can be asked for', async (t) => {
  const { stdout } = await run([folderOf(t, sample)], { FORCE_COLOR: '1' })
  t.true(stdout.includes('\u001b[1m'))
})

test('--help prints the options and nothing else', async (t) => {
  const { code, stdout, stderr } = await run(['--help'])
  t.is(code, 0)
  t.is(stderr, '')
  for (const option of ['--files', '--bytes', '--threads', '--window', '--level', '--json', '--serve', '--port'])
    t.true(stdout.includes(option), option)
})

test('wrong arguments are told', (t) => {
  for (const [args, message] of [
    [['--frobnicate'], /--frobnicate/],
    [['--files', 'many'], /^--files must be an integer from 1 to \d+, got 'many'$/],
    [['--threads', '0'], /^--threads must be an integer from 1 to 1024, got '0'$/],
    [['--level', '10'], /^--level must be an integer from 0 to 9, got '10'$/],
    [['--bytes', '12q'], /^--bytes must be a size .*got '12q'$/],
    [['--bytes', '17G'], /^--bytes must be a size from 1 to 16G/],
    [['--port', '80'], /^--port is only for --serve$/],
    [['--serve', '--json'], /^--json is not for --serve$/],
    [['--serve', '--port', '65536'], /^--port must be an integer from 0 to 65535/],
    [['--serve', 'folder'], /^--serve takes no folder$/],
    [['one', 'two'], /^one folder at most, got 2$/]
  ])
    t.throws(() => readArguments(args, { folder: '.', cpus: 2 }), { instanceOf: UsageError, message })
})

test('sizes are read with their units', (t) => {
  for (const [text, bytes] of [
    ['1', 1],
    ['500k', 512_000],
    ['1.5M', 1_572_864],
    ['2GiB', 2_147_483_648],
    ['64mb', 67_108_864]
  ])
    t.is(readArguments(['--bytes', text], { folder: '.', cpus: 2 }).bytes, bytes, text)
})

test('wrong use ends with exit code 2', async (t) => {
  for (const [args, message] of [
    [['--port', '80'], /--port is only for --serve/],
    [[path.join(__dirname, 'no-such-folder')], /cannot read the folder .*no-such-folder: ENOENT/]
  ]) {
    const { code, stdout, stderr } = await run(args)
    t.is(code, 2)
    t.is(stdout, '')
    t.regex(stderr, message)
    t.regex(stderr, /--help/)
    t.notRegex(stderr, /^ +at /m)
  }
})

test('a folder without files is told', async (t) => {
  const { code, stderr } = await run([folderOf(t, { 'target/x': '1' })])
  t.is(code, 2)
  t.regex(stderr, /no file to work on/)
})

test('the choice of files keeps its limits, and is the same each time', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i % 3}/${i}.txt`, 'x'.repeat(100 * i)]))
  const folder = folderOf(t, files)
  const limits = { files: 100, bytes: 5000 }
  const first = await chooseFiles(folder, limits)
  t.deepEqual(await chooseFiles(folder, limits), first)
  t.true(first.bytes <= 5000 && first.files.length > 1)
  t.true(first.files.every(({ size }) => size > 0 && size <= 1250))
  t.is((await chooseFiles(folder, { files: 3, bytes: 1e6 })).files.length, 3)
})

test('a difference between two runs is found', (t) => {
  const { createHash } = require('node:crypto')
  const { gzipSync } = require('node:zlib')
  const file = { path: 'x', size: 3, text: true }
  const result = (content) => ({
    digest: createHash('sha256').update(content).digest('hex'),
    compressed: gzipSync(content),
    analysis: analyse(Buffer.from(content))
  })
  const right = result('abc')
  t.deepEqual(differences([file], [right], [result('abc')]), [])
  t.deepEqual(differences([file], [right], [{ ...right, digest: '0' }]), ['x'])
  t.deepEqual(differences([file], [right], [{ ...right, compressed: gzipSync('abd') }]), ['x'])
  t.deepEqual(differences([file], [right], [{ ...right, analysis: analyse(Buffer.from('a b')) }]), ['x'])
})

test('an analysis counts lines and words', (t) => {
  t.deepEqual(analyse(Buffer.from('let ä = $x1\nlet b, 22')), {
    lines: 2,
    words: 5,
    distinct: 4,
    top: [
      ['let', 2],
      ['$x1', 1],
      ['b', 1],
      ['ä', 1]
    ]
  })
})

// ---- the live page -----------------------------------------------------------------------------

/** Starts it on a free port; resolves when it says where. */
async function serve(t, ...args) {
  const child = spawn(process.execPath, [demo, '--serve', '--port', '0', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = once(child, 'close')
  const lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]()
  const { value: url } = await lines.next()
  if (url === undefined) throw new Error(stderr)
  await lines.next()
  return { child, url, lines, ended, errors: () => stderr }
}

const linesOf = async (response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The events of a stream, until `enough` says so of one. */
async function follow(url, enough) {
  const response = await fetch(new URL('/events', url))
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const events = text.split('\n\n').slice(0, -1)
    const readings = events.filter((event) => event.startsWith('data: ')).map((event) => JSON.parse(event.slice(6)))
    const found = readings.find(enough)
    if (found !== undefined) return { hello: events[0], reading: found }
  }
  throw new Error(`the stream ended: ${text}`)
}

const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('the live page does the work, counts it, and stops when told', async (t) => {
  const { child, url, lines, ended, errors } = await serve(t, '--processes', '2', '--threads', '1')
  const page = await fetch(url)
  t.is(page.status, 200)
  t.regex(page.headers.get('content-security-policy'), /default-src 'none'/)
  t.regex(await page.text(), /<title>rspool, live<\/title>/)

  for (const where of ['main', 'pool']) {
    const response = await fetch(new URL(`/work?where=${where}&tasks=3&limit=1000`, url), { method: 'POST' })
    t.is(response.status, 200)
    const [first, ...steps] = await linesOf(response)
    t.like(first, { where, tasks: 3 })
    const last = steps.pop()
    t.deepEqual(steps, [{ done: 1 }, { done: 2 }, { done: 3 }])
    t.true(last.time > 0 && last.error === undefined)
  }
  for (const query of [
    'where=nowhere&tasks=1&limit=9',
    'where=pool&tasks=65&limit=9',
    'where=pool&tasks=1&limit=4e9'
  ]) {
    const response = await fetch(new URL(`/work?${query}`, url), { method: 'POST' })
    t.is(response.status, 400)
    t.regex((await response.json()).error, /tasks 1 to 64/)
  }
  t.is((await fetch(new URL('/nothing', url))).status, 404)

  const { hello, reading } = await follow(
    url,
    ({ processes, counters }) => processes.length === 2 && counters.requests === 7
  )
  t.regex(hello, /"threads":1/)
  t.deepEqual(reading.counters, { requests: 7, onMainThread: 3, throughPool: 3, refused: 0 })
  t.deepEqual(
    reading.processes.map(({ slot }) => slot),
    [0, 1]
  )

  const second = await run(['--serve', '--port', new URL(url).port])
  t.is(second.code, 2)
  t.regex(second.stderr, /port \d+ of 127\.0\.0\.1 is in use: choose another with --port/)

  child.kill('SIGINT')
  t.is((await lines.next()).value, 'Stopped.')
  const [code, signal] = await ended
  t.is(signal, null)
  t.is(code, 0)
  // A busy machine may give a process no turn for a while.
  t.is(errors().replace(/^rspool: slot \d \(process \d+\) (does not respond|responds again).*\n/gm, ''), '')
})

for (const [width, colorScheme] of [
  [1280, 'light'],
  [360, 'dark']
]) {
  inBrowser(`the live page shows work from the first moment on, ${width} pixels wide`, async (t) => {
    const { url } = await serve(t, '--processes', '2', '--threads', '1')
    const { chromium } = require('playwright-core')
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: 100_000 })
    t.teardown(() => browser.close())
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
    page.setDefaultTimeout(100_000)
    const complaints = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(url)
    const button = (id) => page.locator(`#${id}`)
    const rowOf = (text) => page.locator('tbody tr', { hasText: text })

    await page.fill('#tasks', '40')
    await page.selectOption('#limit', '3000000')
    await button('pool').click()
    await rowOf(/\d+ of 40/).waitFor()
    t.true(await button('pool').isDisabled(), 'what is busy cannot be pressed')
    t.true(await button('main').isEnabled())
    await page.getByRole('button', { name: 'Cancel: Through the pool' }).click()
    await rowOf(/cancelled, with \d+ not done/).waitFor()
    t.true(await button('pool').isEnabled())

    await page.fill('#tasks', '3')
    await page.selectOption('#limit', '200000')
    await button('throws').click()
    await rowOf(/2 of 3.*one threw RangeError: primes are counted below a number above 0/).waitFor()
    await button('main').click()
    await rowOf(/On the main thread.*3 of 3.*done/).waitFor()
    t.is(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0)
    t.deepEqual(complaints, [])
  })
}

test('the work of the live page is what it says', (t) => {
  t.is(countPrimes(2), 0)
  t.is(countPrimes(100), 25)
  t.is(countPrimes(10_000), 1229)
  t.throws(() => countPrimes(-1), { instanceOf: RangeError })
})
