'use strict'

// The drain of one process: refuse connections, let requests finish, run the hooks, cut the rest.

const { pause } = require('../../later')

const TICK = 50
/** If connections do not end, the hooks begin at this share of the grace. */
const HOOKS_AT = 0.8

/**
 * @param {() => unknown} hook
 * @param {number} limit
 * @param {(error: unknown) => void} onError
 * @returns {Promise<boolean>} whether it finished in time
 */
async function runHook(hook, limit, onError) {
  const { done, stop } = pause(limit)
  try {
    return await Promise.race([
      (async () => {
        try {
          await hook()
        } catch (error) {
          onError(error)
        }
        return true
      })(),
      done.then(() => false)
    ])
  } finally {
    stop()
  }
}

/** @param {boolean} finished */
function afterTurn(finished) {
  return new Promise((resolve) => setImmediate(resolve, finished))
}

/**
 * @param {object} parts
 * @param {import('./servers').Servers} parts.servers
 * @param {(() => unknown)[]} parts.work work that must end: tasks, and requests of the primary
 * @param {{ hook: () => unknown, timeout: number }[]} parts.hooks
 * @param {import('./own-end').OwnEnd} [parts.ownEnd] the application's own end
 * @param {number} parts.grace
 * @param {number} parts.idle
 * @param {(error: unknown) => void} parts.onError
 * @returns {Promise<{ forced: boolean, cut: number }>}
 */
async function drain({ servers, work, hooks, ownEnd, grace, idle, onError }) {
  const start = performance.now()
  const left = () => Math.max(0, grace - (performance.now() - start))
  let forced = false
  servers.refuse(idle)

  // The code that waited for the work continues first, and answers.
  const ended = work.map((wait) => runHook(wait, left(), onError).then(afterTurn))
  const quiet = waitForConnections(servers, idle)
  const hasHooks = hooks.length > 0 || ownEnd?.exists === true
  const early = pause(hasHooks ? grace * HOOKS_AT : grace)
  await Promise.race([Promise.all([quiet.done, ...ended]), early.done])
  early.stop()

  // The last hook registered may depend on earlier ones, so it runs first.
  for (const { hook, timeout } of [...hooks].reverse()) {
    if (!(await runHook(hook, Math.min(timeout, left()), onError))) forced = true
  }
  if (ownEnd !== undefined && !(await ownEnd.run(left()))) forced = true
  const end = pause(left())
  await Promise.race([quiet.done, end.done])
  end.stop()
  quiet.stop()
  if (!(await Promise.all(ended)).every(Boolean)) forced = true
  const cut = servers.cut(performance.now(), idle)
  return { forced: forced || cut > 0, cut }
}

/** @param {import('./servers').Servers} servers @param {number} idle */
function waitForConnections(servers, idle) {
  let stop = () => {}
  const done = new Promise((resolve) => {
    const look = () => {
      servers.closeIdle(performance.now(), idle)
      if (servers.connections === 0) stop()
    }
    const handle = setInterval(look, TICK)
    servers.on('change', look)
    stop = () => {
      clearInterval(handle)
      servers.off('change', look)
      resolve(undefined)
    }
    look()
  })
  return { done, stop }
}

module.exports = { drain }
