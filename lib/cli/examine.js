'use strict'

// The examinations of `doctor`. Each gives its finding, a verdict, and advice unless all is fine.

const fs = require('node:fs')
const os = require('node:os')
const v8 = require('node:v8')
const { platformTuple, libc } = require('../native/platform')
const version = require('../version')
const { PREBUILT } = require('../native/prebuilt')
const { engines } = require('../../package.json')
const { bytes } = require('./output')

/** @typedef {{ found: string, verdict?: 'fine'|'note'|'wrong', advice?: string }} Finding */

/** Servers need at least this many descriptors. */
const FEW_DESCRIPTORS = 4096
/** The text of a system file; empty if there is none. @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

/** The addon, or the reason why there is none. */
function loadAddon() {
  try {
    const addon = require('../native/load')
    const loaded = Object.values(require.cache).find((module) => module?.filename.endsWith('.node'))
    return { addon, path: loaded?.filename ?? 'of an unknown place' }
  } catch (error) {
    return { error: /** @type {Error} */ (error) }
  }
}

/** @type {Record<string, (addon: ReturnType<typeof loadAddon>) => Finding>} */
const EXAMINATIONS = {
  platform() {
    const tuple = platformTuple()
    const found = `${tuple}, ${os.type()} ${os.release()}`
    if (PREBUILT.includes(tuple)) return { found }
    return { found, verdict: 'note', advice: 'There is no prebuilt addon for it: npx rspool build (needs Rust)' }
  },

  addon({ path, error }) {
    if (error === undefined) return { found: `rspool ${version}, ${path}` }
    const [found, ...rest] = error.message.split('\n')
    return { found, verdict: 'wrong', advice: rest.join('\n') || undefined }
  },

  'C library'() {
    const found = libc()
    if (found === undefined) return { found: 'that of the system' }
    if (found === 'musl') return { found }
    const report = /** @type {import('../native/platform').Report | undefined} */ (
      /** @type {unknown} */ (process.report)
    )
    const header = report?.getReport().header
    return { found: `glibc ${header?.glibcVersionRuntime ?? 'of an unknown version'}` }
  },

  runtime() {
    const found = `Node.js ${process.versions.node}, V8 ${process.versions.v8}`
    const least = Number(/\d+/.exec(engines.node)?.[0])
    if (Number.parseInt(process.versions.node, 10) >= least) return { found }
    return { found, verdict: 'wrong', advice: `rspool needs Node.js ${engines.node}` }
  },

  CPUs({ addon }) {
    const all = os.cpus().length
    const count = addon?.availableParallelism() ?? os.availableParallelism()
    const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(read('/proc/self/status'))?.[1]
    const quota = cpuQuota()
    const why = [
      `the machine has ${all}`,
      ...(allowed === undefined ? [] : [`affinity allows ${allowed}`]),
      quota === undefined ? 'no quota' : `quota of ${quota}`
    ]
    const found = `cpuCount() is ${count}: ${why.join(', ')}`
    if (quota === undefined || quota >= 1) return { found }
    return {
      found,
      verdict: 'note',
      advice: 'With less than one CPU the event loop is stopped in each period: ask for at least 1'
    }
  },

  memory({ addon }) {
    const limit = addon?.readGroupMemory?.().limit
    const heap = v8.getHeapStatistics().heap_size_limit
    const all = os.totalmem()
    const found = `${bytes(all)}, ${limit === undefined ? 'no limit of a control group' : `control group allows ${bytes(limit)}`}, heap of a process may have ${bytes(heap)}`
    if (heap <= (limit ?? all)) return { found }
    return {
      found,
      verdict: 'note',
      advice: `The kernel would kill a process before V8 frees: set --max-old-space-size=${Math.round(((limit ?? all) * 0.75) / 2 ** 20)}`
    }
  },

  descriptors() {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1] ?? Number.NaN)
    if (Number.isNaN(limit)) return { found: 'the limit is not known here' }
    const found = `at most ${limit} a process`
    if (limit >= FEW_DESCRIPTORS) return { found }
    return {
      found,
      verdict: 'note',
      advice: 'A server needs one a connection: ulimit -n 65536, or LimitNOFILE= of systemd'
    }
  },

  processes() {
    const limit = /^Max processes\s+(\S+)/m.exec(read('/proc/self/limits'))?.[1]
    const group = read('/sys/fs/cgroup/pids.max')
    const found = `at most ${limit ?? '?'} a user${group !== '' && group !== 'max' ? `, ${group} in the control group` : ''}, threads included`
    if (group === '' || group === 'max' || Number(group) >= 256) return { found }
    return {
      found,
      verdict: 'note',
      advice: 'A process of a cluster has about 15 threads: allow more (--pids-limit of Docker)'
    }
  },

  cluster({ addon }) {
    if (addon === undefined) return { found: 'not looked at, without the addon', verdict: 'note' }
    if (addon.Region === undefined)
      return {
        found: `not on ${process.platform}`,
        verdict: 'note',
        advice: 'Pools work; cluster.run takes processes: 0'
      }
    try {
      addon.Region.create({
        seats: 1,
        slots: 1,
        rows: 1,
        cells: 1,
        tokens: 1,
        claims: 1,
        once: 1,
        limits: 1,
        schema: 0n,
        about: '{}'
      })
      return { found: 'shared memory can be made' }
    } catch (error) {
      return {
        found: /** @type {Error} */ (error).message,
        verdict: 'wrong',
        advice: 'memfd_create or its seals are forbidden: see the seccomp profile'
      }
    }
  },

  looking() {
    if (process.platform !== 'linux') return { found: 'npx rspool ps, top and the like need /proc', verdict: 'note' }
    const mount =
      read('/proc/mounts')
        .split('\n')
        .find((line) => line.split(' ')[1] === '/proc') ?? ''
    if (!/hidepid=[^0]/.test(mount)) return { found: 'clusters of this user can be looked at' }
    return {
      found: 'hidepid hides processes of other users',
      verdict: 'note',
      advice: 'Look as the user of the cluster, or as root'
    }
  },

  inspector() {
    if (/** @type {{ inspector?: boolean }} */ (process.features).inspector === false)
      return { found: 'built without', verdict: 'note', advice: 'Stacks of processes that hang cannot be read' }
    const options = [process.env.NODE_OPTIONS ?? '', ...process.execArgv].join(' ')
    const given = /--inspect\S*/.exec(options)?.[0]
    if (given === undefined) return { found: 'there, and not open' }
    return {
      found: `${given} is set`,
      verdict: 'note',
      advice: 'Whoever reaches its port runs code here; a process in a debugger is never taken for stalled'
    }
  }
}

/** The quota in CPUs; undefined if there is none. @returns {number|undefined} */
function cpuQuota() {
  const group = /^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? '/'
  const quotas = []
  for (let at = group; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const [quota, period] = read(`/sys/fs/cgroup${at}/cpu.max`).split(' ').map(Number)
    if (quota > 0 && period > 0) quotas.push(quota / period)
    if (at === '' || at === '/') break
  }
  const old = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')) / Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'))
  if (old > 0) quotas.push(old)
  return quotas.length === 0 ? undefined : Math.min(...quotas)
}

/** @returns {({ what: string, verdict: 'fine'|'note'|'wrong' } & Finding)[]} */
function examine() {
  const addon = loadAddon()
  return Object.entries(EXAMINATIONS).map(([what, look]) => ({ what, verdict: 'fine', ...look(addon) }))
}

module.exports = { examine }
