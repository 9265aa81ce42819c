import worker from './lib/worker/api.js'

export const { task, run, runTask, context, move, isWorkerThread, threadId, workerData } = worker
export default worker
