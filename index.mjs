import rspool from './index.js'

export const {
  Pool,
  WorkerPool,
  runTask,
  runTaskSync,
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
