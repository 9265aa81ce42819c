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
  metrics,
  errors
} = rspool
export default rspool
