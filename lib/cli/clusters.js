'use strict'

// Finds the clusters of this machine and opens their regions. No process is asked: the region is a file without
// a name, which the primary and its processes hold open. The kernel decides which user may open it.

const fs = require('node:fs')
const { CommandError, EXIT } = require('./failure')
const { SHARED } = require('../native/wire')
const { RegionCopy, SharedRegion } = require('../cluster/region')

/** The name of a region among the descriptors of a process. Shared maps have another name. */
const REGION = /^\/memfd:rspool( \(deleted\))?$/

/**
 * @typedef {object} Cluster
 * @property {number} pid of the primary
 * @property {string} path of the region, in /proc
 * @property {RegionCopy} region
 * @property {About} about
 *
 * @typedef {object} About the description of a cluster in its region
 * @property {number} pid
 * @property {string} version
 * @property {string} node
 * @property {number} started when, in microseconds of the monotonic clock
 * @property {string} file
 * @property {number} spare
 * @property {number} maxProcesses
 * @property {boolean} signals
 * @property {string} [admin]
 * @property {import('../cluster/region').Names} names
 */

/** Opens the regions that a process holds. @param {number} pid @returns {Generator<{ path: string, inode: number }>} */
function* regionsOf(pid) {
  const folder = `/proc/${pid}/fd`
  /** @type {Set<number>} */
  const seen = new Set()
  for (const fd of fs.readdirSync(folder)) {
    const path = `${folder}/${fd}`
    try {
      if (!REGION.test(fs.readlinkSync(path))) continue
      const { ino } = fs.statSync(path)
      if (seen.has(ino)) continue
      seen.add(ino)
      yield { path, inode: ino }
    } catch {
      // The descriptor was closed in the meantime.
    }
  }
}

/** @param {string} path */
function openRegion(path) {
  const { region, about } = RegionCopy.open(path)
  return about.kind === 'cluster' ? { region, about: /** @type {About} */ (about) } : undefined
}

/** The process id that a process has in its own namespace. @param {number} pid */
function innerPid(pid) {
  const numbers = /^NSpid:\s*(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1].split(/\s+/) ?? [
    `${pid}`
  ]
  return Number(numbers[numbers.length - 1])
}

function assertSystem() {
  if (process.platform !== 'linux')
    throw new CommandError(EXIT.failed, `clusters are looked at through /proc, which ${process.platform} has not`)
}

/**
 * All clusters whose primary is a process of this user, and the regions that could not be opened.
 * @returns {{ clusters: Cluster[], refused: { pid: number, why: string }[] }}
 */
function findClusters() {
  assertSystem()
  const own = process.getuid?.()
  /** @type {Cluster[]} */
  const clusters = []
  /** @type {{ pid: number, why: string }[]} */
  const refused = []
  const inodes = new Set()
  for (const entry of fs.readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    try {
      if (fs.statSync(`/proc/${pid}`).uid !== own) continue
      for (const { path, inode } of regionsOf(pid)) {
        if (inodes.has(inode)) continue
        const opened = attempt(() => openRegion(path))
        if (opened.error !== undefined) {
          inodes.add(inode)
          refused.push({ pid, why: opened.error.message })
        } else if (opened.value === undefined) {
          // This is the region of a program whose pools share a budget.
          inodes.add(inode)
        } else if (opened.value.region.getShared(SHARED.PRIMARY) === innerPid(pid)) {
          inodes.add(inode)
          clusters.push({ pid, path, ...opened.value })
        }
      }
    } catch {
      // The process has ended meanwhile, or belongs to another user.
    }
  }
  return { clusters: clusters.sort((a, b) => a.pid - b.pid), refused }
}

/** @template T @param {() => T} work @returns {{ value?: T, error?: Error }} */
function attempt(work) {
  try {
    return { value: work() }
  } catch (error) {
    return { error: /** @type {Error} */ (error) }
  }
}

/** The cluster of a process, which is the primary or another process of it. @param {number} pid @returns {Cluster} */
function clusterOf(pid) {
  assertSystem()
  let refusal
  try {
    for (const { path } of regionsOf(pid)) {
      const opened = attempt(() => openRegion(path))
      refusal ??= opened.error
      if (opened.value === undefined) continue
      const { region, about } = opened.value
      const inner = innerPid(pid)
      if (inner !== pid)
        throw new CommandError(
          EXIT.denied,
          `process ${pid} lives in another pid namespace, where it is ${inner}. Run this inside of it: nsenter -t ${pid} -a npx rspool …`
        )
      const primary = region.getShared(SHARED.PRIMARY)
      return { pid: primary, path, region, about }
    }
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code === 'ENOENT' || code === 'ESRCH') throw new CommandError(EXIT.none, `there is no process ${pid}`)
    if (code === 'EACCES' || code === 'EPERM')
      throw new CommandError(
        EXIT.denied,
        `process ${pid} may not be looked at: it belongs to another user, or is protected`
      )
    throw error
  }
  if (refusal !== undefined) throw refusedBy(refusal)
  throw new CommandError(EXIT.none, `process ${pid} belongs to no cluster of rspool`)
}

/** @param {Error} error */
function refusedBy(error) {
  return new CommandError(/permi|denied/i.test(error.message) ? EXIT.denied : EXIT.failed, error.message)
}

/**
 * The cluster for a command: that of `--pid`, or the only one.
 * @param {number|undefined} pid
 * @returns {Cluster}
 */
function pick(pid) {
  if (pid !== undefined) return clusterOf(pid)
  const { clusters, refused } = findClusters()
  // The process may be in another namespace. A list may ignore this, but not a command.
  if (clusters.length === 1) return clusterOf(clusters[0].pid)
  if (clusters.length > 1) {
    const list = clusters.map(({ pid, about }) => `  --pid ${pid}  ${about.file}`)
    throw new CommandError(EXIT.usage, `there are several clusters; name one:\n${list.join('\n')}`)
  }
  if (refused.length > 0)
    throw new CommandError(EXIT.none, `no cluster could be opened. Process ${refused[0].pid}: ${refused[0].why}`)
  throw new CommandError(EXIT.none, 'you run no cluster on this machine. Another user’s can be named by --pid, as root')
}

/** The same memory, writable, for requests to helper threads. @param {Cluster} cluster */
function openForRequests({ path, about }) {
  let fd
  try {
    fd = fs.openSync(path, 'r+')
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    throw new CommandError(code === 'ENOENT' ? EXIT.none : EXIT.denied, `the region cannot be written: ${message}`)
  }
  try {
    return SharedRegion.open(fd, about.names)
  } finally {
    fs.closeSync(fd)
  }
}

module.exports = { findClusters, clusterOf, pick, openForRequests }
