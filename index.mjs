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
  shareCpu,
  metrics,
  errors
} = rspool
export default rspool
