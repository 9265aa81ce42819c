'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')

const folder = path.join(__dirname, '..', 'examples')

/** What each example prints, line by line. */
const expected = {
  'worker-pool.js': [
    "'one two three' has 3 words, 3 distinct",
    "'to be or not to be' has 6 words, 4 distinct",
    "'a rose is a rose is a rose' has 8 words, 3 distinct",
    'longest: a rose is a rose is a rose',
    'TypeError: a text is needed, not a number (code NO_TEXT)',
    '4 completed, 1 failed'
  ],
  'inline-function.js': [
    '1 + 2 = 3',
    '4 primes below 10',
    '168 primes below 1000',
    '9592 primes below 100000',
    'it ran in a worker'
  ],
  'native-tasks.js': [
    /^families: array, compress, .*hash/,
    "sha256 of 'abc': ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "crc32 of 'abc': 352441c2",
    /^gzip: 150000 to \d+ bytes and back: true$/,
    'sorted: 1 2 3',
    'primes to a million: 78498',
    'lanes in use: native',
    /^ERR_RSPOOL_UNKNOWN_TASK: .*'hash\.sha265'.*'hash\.sha256'/
  ],
  'counters.js': [
    'even 500, odd 500',
    /^looked (in between|once); at the end 16777216 of 16777216 bytes$/,
    '{ even: 500, odd: 500, bytes: 16777216, done: 1 }'
  ],
  'abort-and-timeouts.js': [
    "a loop that reads task.signal: AbortError, ABORT_ERR, because of 'the user has left'",
    'a loop that never ends: TaskTimeoutError, ERR_RSPOOL_TASK_TIMEOUT',
    'a task that would wait: QueueTimeoutError, ERR_RSPOOL_QUEUE_TIMEOUT',
    'the one before it: slept 300 ms',
    "stopped before it began: AbortError, ABORT_ERR, because of 'never mind'"
  ],
  'bare-worker.js': [
    'by hand: fibonacci(20) = 6765',
    'pool: fibonacci(5) = 5',
    'pool: fibonacci(10) = 55',
    'pool: fibonacci(15) = 610',
    'pool: fibonacci(20) = 6765',
    'pool: fibonacci(25) = 75025',
    'pool: RangeError: n must not be negative, got -1',
    'pool: fibonacci(30) = 832040'
  ]
}

/** @returns {Promise<{ code: number | string | null, stdout: string, stderr: string }>} */
function run(file) {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(folder, file)], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr })
    })
  })
}

for (const [file, lines] of Object.entries(expected)) {
  test(`${file} prints what it should, and ends by itself`, async (t) => {
    const { code, stdout, stderr } = await run(file)
    t.is(stderr, '')
    t.is(code, 0)
    const printed = stdout.trimEnd().split('\n')
    t.is(printed.length, lines.length, stdout)
    lines.forEach((line, i) => {
      if (typeof line === 'string') t.is(printed[i], line)
      else t.regex(printed[i], line)
    })
  })
}

test('no example goes untested', (t) => {
  const programs = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.js') && !file.endsWith('.script.js') && !file.startsWith('cluster-'))
  t.deepEqual(programs.sort(), Object.keys(expected).sort())
})
