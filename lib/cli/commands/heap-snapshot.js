'use strict'

const path = require('node:path')
const { PID, JSON_OPTION, whole } = require('../arguments')

/** A snapshot takes as much memory again, and stops the process for seconds per gigabyte. */
const LARGE = 2 ** 30

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a heap snapshot of a process',
  usage: '<slot>',
  details:
    'The process serves nothing while it is taken, and needs about the size of its heap in memory besides. The file has\nall strings of the heap in it, secrets too: only you may read it. Above 1 GiB of heap you are asked.',
  options: {
    ...PID,
    dir: { type: 'string', value: '<folder>', help: 'where the file is written (the working directory)' },
    yes: { type: 'boolean', short: 'y', help: 'do not ask' },
    timeout: { type: 'number', value: '<seconds>', help: 'gives up waiting after so long (600)' },
    ...JSON_OPTION
  },
  takes: [1, 1],
  async run({ values, args }) {
    const slot = whole('heap-snapshot', 'the slot', args[0])
    const { dir = '.', timeout = 600 } = values
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { processOf, ask, fetchFile } = require('../helper-thread')
    const { bytes, json } = require('../output')
    const { ASK } = require('../../native/wire')
    const { EXIT } = require('../failure')
    const cluster = pick(values.pid)
    const process = processOf(new Viewer(cluster), slot)
    const { heapUsed = 0 } = process
    if (heapUsed > LARGE && !values.yes) {
      const question = `Slot ${slot} has ${bytes(heapUsed)} of heap. It will serve nothing for a while. Go on? [y/N] `
      if (!(await confirm(question))) {
        console.error('rspool: no snapshot was taken; --yes goes on without asking')
        return EXIT.failed
      }
    }
    const written = await ask(cluster, process, { kind: ASK.HEAP_SNAPSHOT, timeout: timeout * 1000 })
    const file = path.resolve(dir, `slot-${slot}-${path.basename(written)}`)
    fetchFile(process.pid, written, file)
    if (values.json) json({ slot, pid: process.pid, heapUsed, file })
    else console.log(file)
  }
}

/** If no user can be asked, the answer is no. @param {string} question */
async function confirm(question) {
  if (!process.stdin.isTTY) return false
  const terminal = require('node:readline/promises').createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}
