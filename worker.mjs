import worker from './lib/worker/api.js'

export const { task, context, move, transferableSymbol, valueSymbol, isWorkerThread, threadId, workerData } = worker
export default worker
