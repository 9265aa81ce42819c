import piscina from './piscina.js'

export const {
  ArrayTaskQueue,
  FixedQueue,
  Piscina,
  isWorkerThread,
  move,
  queueOptionsSymbol,
  transferableSymbol,
  valueSymbol,
  version,
  workerData
} = piscina
export default piscina
