import { type ErrorCode, errors } from 'rspool'
import { is } from './assert.mjs'

export function explain(error: unknown) {
  if (error instanceof errors.WorkerExitError) {
    is<'ERR_RSPOOL_WORKER_EXIT'>()(error.code, true)
    return error.exitCode
  }
  if (error instanceof errors.AbortError) return is<'ABORT_ERR'>()(error.code, true)
  if (error instanceof errors.InvalidArgumentError) return is<TypeError['message']>()(error.message, true)
  if (error instanceof errors.RspoolError) return is<string>()(error.code, true)
  return undefined
}

const timeout: errors.TaskTimeoutError['code'] = 'ERR_RSPOOL_TASK_TIMEOUT'
const code: ErrorCode = timeout
// @ts-expect-error
const unknown: ErrorCode = 'ERR_RSPOOL_NONE'
// @ts-expect-error errors are made by the package
new errors.QueueFullError('full')

export { code, unknown }
