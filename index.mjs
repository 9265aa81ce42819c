import rspool from './index.js'

export const {
  Pool,
  WorkerPool,
  runTask,
  tasks,
  AtomicCounters,
  cluster,
  move,
  transferableSymbol,
  valueSymbol,
  cpuCount,
  errors
} = rspool
export default rspool
