'use strict'

const fs = require('node:fs')
const { setInterval } = require('node:timers/promises')

/**
 * The memory control group of this process, if groups can be made below it (by root, and where the
 * controller is there).
 */
function memoryGroup() {
  const lines = readOr('/proc/self/cgroup', '').split('\n')
  const own = (/** @type {RegExp} */ form) =>
    lines.map((line) => form.exec(line)?.[1]).find((path) => path !== undefined)
  const v1 = own(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/)
  const v2 = own(/^0::(.*)$/)
  const candidates = [
    { parent: `/sys/fs/cgroup/memory${v1}`, limit: 'memory.limit_in_bytes' },
    { parent: `/sys/fs/cgroup${v2}`, limit: 'memory.max' },
    { parent: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
    { parent: '/sys/fs/cgroup', limit: 'memory.max' }
  ]
  const make = ({ parent, limit }) => {
    const path = `${parent}/rspool-test-${process.pid}`
    fs.mkdirSync(path)
    if (fs.existsSync(`${path}/${limit}`)) return { path, limit }
    fs.rmdirSync(path)
    throw new Error('no memory controller')
  }
  for (const candidate of candidates) {
    try {
      const { path } = make(candidate)
      fs.rmdirSync(path)
    } catch {
      continue
    }
    return {
      /** Makes a group with this limit; gives the command that runs a program in it. */
      enter(t, bytes) {
        const { path, limit } = make(candidate)
        fs.writeFileSync(`${path}/${limit}`, String(bytes))
        t.teardown(async () => {
          for await (const _ of setInterval(20)) {
            try {
              if (fs.existsSync(path)) fs.rmdirSync(path)
              return
            } catch {
              // It goes when the last process in it has gone.
            }
          }
        })
        return ['/bin/sh', ['-c', `echo $$ > ${path}/cgroup.procs && exec "$0" "$@"`, process.execPath]]
      }
    }
  }
}

function readOr(path, otherwise) {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

module.exports = { memoryGroup }
