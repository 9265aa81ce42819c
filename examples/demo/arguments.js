'use strict'

// The demo's command line: what it takes, and what it says when it cannot.

const path = require('node:path')
const { parseArgs } = require('node:util')

const help = `Usage: npm start -- [options] [folder]

Hashes (SHA-256), compresses (gzip) and analyses (a script in JavaScript) the files of
a folder, first through a pool of rspool and then on the main thread, and compares the
two: time, event-loop delay, and that the results are the same.

  folder            the files to work on; by default this repository with its
                    node_modules. Folders named .git or target are left out.

Options:
  --files <n>       at most this many files (default 4000)
  --bytes <size>    at most this much in all, as in 500k, 64M or 1G (default 64M);
                    a file above a quarter of it is left out
  --threads <n>     workers of the pool (default: the CPUs that this process may use)
  --window <n>      files in flight at once (default: 8 a worker)
  --level <0-9>     gzip level (default 6)
  --json            print one JSON object instead of the report

  --serve           serve a live page instead: fire work from a browser, with and
                    without the pool, and watch the event loop
  --port <n>        port of --serve (default 8000; 0 takes any free one)
  --host <address>  address of --serve (default 127.0.0.1)
  --processes <n>   processes of --serve (default 2)

  --fleet           another demo: two worker machines over a Redis of its own, of
                    which one is killed (needs redis-server, or REDIS_URL)

  -h, --help        print this

Colours and the live progress line are for terminals only; NO_COLOR is honoured.
Exit codes: 0 done, 1 failed or the results differ, 2 wrong arguments.`

const batchOnly = /** @type {const} */ (['files', 'bytes', 'window', 'level', 'json'])
const serveOnly = /** @type {const} */ (['port', 'host', 'processes'])

class UsageError extends Error {}

/**
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} fallback
 * @param {number} low
 * @param {number} high
 */
function integer(option, text, fallback, low, high) {
  if (text === undefined) return fallback
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  throw new UsageError(`--${option} must be an integer from ${low} to ${high}, got '${text}'`)
}

/** @param {string} option @param {string | undefined} text @param {number} fallback */
function size(option, text, fallback) {
  if (text === undefined) return fallback
  const found = /^(\d{1,9}(?:\.\d+)?)([kmg]?)i?b?$/i.exec(text)
  const factor = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[found?.[2].toLowerCase() ?? '']
  const value = Math.floor(Number(found?.[1]) * (factor ?? Number.NaN))
  if (value >= 1 && value <= 2 ** 34) return value
  throw new UsageError(`--${option} must be a size from 1 to 16G, as in 500k or 64M, got '${text}'`)
}

const string = /** @type {const} */ ('string')
const boolean = /** @type {const} */ ('boolean')

/**
 * @param {string[]} args
 * @param {{ folder: string, cpus: number }} defaults
 */
function readArguments(args, defaults) {
  let parsed
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        files: { type: string },
        bytes: { type: string },
        threads: { type: string },
        window: { type: string },
        level: { type: string },
        json: { type: boolean },
        serve: { type: boolean },
        port: { type: string },
        host: { type: string },
        processes: { type: string },
        help: { type: boolean, short: 'h' }
      }
    })
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message)
  }
  const { values, positionals } = parsed
  const serve = values.serve === true
  for (const option of serve ? batchOnly : serveOnly) {
    if (values[option] !== undefined) throw new UsageError(`--${option} is ${serve ? 'not for' : 'only for'} --serve`)
  }
  if (positionals.length > (serve ? 0 : 1)) {
    throw new UsageError(serve ? '--serve takes no folder' : `one folder at most, got ${positionals.length}`)
  }
  const threads = integer('threads', values.threads, defaults.cpus, 1, 1024)
  return {
    help: values.help === true,
    serve,
    json: values.json === true,
    folder: path.resolve(positionals[0] ?? defaults.folder),
    files: integer('files', values.files, 4000, 1, 1e9),
    bytes: size('bytes', values.bytes, 64 * 2 ** 20),
    threads,
    window: integer('window', values.window, threads * 8, 1, 1e6),
    level: integer('level', values.level, 6, 0, 9),
    port: integer('port', values.port, 8000, 0, 65_535),
    host: values.host ?? '127.0.0.1',
    processes: integer('processes', values.processes, 2, 1, 64)
  }
}

module.exports = { readArguments, help, UsageError }
