import worker from './lib/worker/api.js'

export const { task, move, isWorkerThread, threadId, workerData } = worker
export default worker
