'use strict'

// `npm start`: the same work through a pool and on the main thread, or with --serve a live page.

const path = require('node:path')
const { stripVTControlCharacters } = require('node:util')
const picocolors = require('picocolors')
const { cpuCount } = require('rspool')
const { readArguments, help, UsageError } = require('./arguments')
const { throughPool, onMainThread, differences } = require('./batch')
const { chooseFiles } = require('./files')
const { report, json, megabytes, round } = require('./report')

/**
 * One line that overwrites itself, ten times a second; nothing where there is no terminal.
 * @param {string} title
 * @param {{ tasks: number, bytes: number }} total
 */
function progressLine(title, total) {
  const { stderr } = process
  const live = stderr.isTTY && !process.env.CI
  let drawn = 0
  return {
    /** @param {import('./batch').Progress} progress */
    draw({ tasks, bytes }) {
      if (!live || performance.now() - drawn < 100) return
      drawn = performance.now()
      const line = `${title}  ${Math.floor((bytes / total.bytes) * 100)} %  ${round(tasks)} of ${round(total.tasks)} tasks`
      stderr.write(`\r${line.slice(0, stderr.columns - 1)}\x1b[K`)
    },
    clear() {
      if (live) stderr.write('\r\x1b[K')
    }
  }
}

/** @param {ReturnType<typeof readArguments>} settings */
async function compare(settings) {
  const { folder, threads } = settings
  const say = settings.json ? () => {} : console.log
  const { files, bytes } = await chooseFiles(folder, settings).catch((error) => {
    throw new UsageError(`cannot read the folder ${folder}: ${error.message}`)
  })
  if (files.length === 0) throw new UsageError(`there is no file to work on in ${folder}`)
  say(`${round(files.length)} files, ${megabytes(bytes)}, below ${folder}`)
  say(
    `hash, compress and analyse each; ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${settings.window} files in flight\n`
  )

  const total = { bytes, tasks: files.reduce((all, { text }) => all + (text ? 3 : 2), 0) }
  const poolLine = progressLine('through the pool', total)
  const pooled = await throughPool(files, settings, poolLine.draw)
  poolLine.clear()
  const mainLine = progressLine('on the main thread', total)
  const main = await onMainThread(files, settings, mainLine.draw)
  mainLine.clear()
  const different = differences(files, pooled.results, main.results)

  const outcome = { bytes, threads, pooled, main, different: different.map((file) => path.relative(folder, file)) }
  if (settings.json) console.log(JSON.stringify(json(outcome), null, 2))
  else {
    const { isTTY, columns } = process.stdout
    const colors = picocolors.createColors(
      picocolors.isColorSupported && (isTTY || process.env.FORCE_COLOR !== undefined)
    )
    console.log(report(outcome, { colors, columns: isTTY ? columns : 100 }))
  }
  if (different.length > 0) process.exitCode = 1
}

async function main() {
  const settings = readArguments(process.argv.slice(2), { folder: path.join(__dirname, '..', '..'), cpus: cpuCount() })
  if (settings.help) console.log(help)
  else if (settings.serve) await require('./serve').serve(settings)
  else await compare(settings)
}

main().catch((error) => {
  const wrongUse = error instanceof UsageError
  const text = wrongUse ? `${error.message}\nnpm start -- --help lists what it takes.` : error.stack
  console.error(stripVTControlCharacters(text))
  process.exitCode = wrongUse ? 2 : 1
})
