import worker from './lib/worker/api.js'

export const {
  task,
  run,
  runTask,
  context,
  move,
  transferableSymbol,
  valueSymbol,
  isWorkerThread,
  threadId,
  workerData
} = worker
export default worker
