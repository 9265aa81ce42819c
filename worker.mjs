import worker from './lib/worker/api.js'

export const { task, run, runTask, move, isWorkerThread, threadId, workerData } = worker
export default worker
