'use strict'

// Why a process died, in a form for programs and a sentence for people.

/** The error that a process reports. @typedef {{ name?: string, message: string, stack?: string, code?: string }} Failure */
/** @typedef {{ kind: import('../../../types/cluster').Cause['kind'], code: number|null, signal: string|null, message: string, error?: Failure, planned: boolean, forced: boolean, stack?: string }} Cause */

/**
 * @param {import('./supervised').SupervisedProcess} supervised
 * @param {number|null} code
 * @param {string|null} signal
 * @returns {Cause}
 */
function causeOfDeath(supervised, code, signal) {
  const { reason, error, readyAt, planned, forced } = supervised
  const unborn = supervised.pid === undefined
  const kind = /** @type {Cause['kind']} */ (
    reason?.kind ??
      (!unborn && error !== undefined && readyAt === undefined ? 'boot-error' : signal !== null ? 'signal' : 'exit')
  )
  const cause = { kind, code, signal, planned, forced, ...(error === undefined ? {} : { error }) }
  return { ...cause, message: sentence(supervised, cause) }
}

/** @param {import('./supervised').SupervisedProcess} supervised @param {Omit<Cause, 'message'>} cause */
function sentence({ reason, readyAt, pid, overdue }, { kind, code, signal, error }) {
  const before = readyAt === undefined ? ' before it was ready' : ''
  switch (kind) {
    case 'boot-error':
      return error?.code === 'EADDRINUSE' || error?.code === 'EACCES'
        ? `could not listen: ${error.message}`
        : `failed to boot: ${error?.stack ?? error?.message}`
    case 'ready-timeout':
      return `was not ready within ${reason?.limit} ms: ${error?.message ?? 'its event loop does not turn'}`
    case 'stalled':
      return `was stalled: its event loop did not turn for ${reason?.silent} ms${reason?.stack ? `\n${reason.stack}` : ''}`
    case 'out-of-memory':
      return `ran out of memory (${reason?.where})`
    case 'signal':
      if (overdue !== undefined) return `was killed, as it had not ended within its grace of ${overdue} ms`
      return `was killed by ${signal}${before}`
    case 'exit':
      if (pid === undefined) return `could not be started: ${error?.message ?? `error ${code}`}`
      return `exited with code ${code}${before}`
    default:
      return `ended: ${kind}${overdue === undefined ? '' : `; killed, as it had not ended within its grace of ${overdue} ms`}`
  }
}

module.exports = { causeOfDeath }
