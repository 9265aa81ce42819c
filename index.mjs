import rspool from './index.js'

export const {
  Pool,
  WorkerPool,
  runTask,
  runTaskSync,
  tasks,
  AtomicCounters,
  SharedMap,
  cluster,
  lend,
  move,
  cpuCount,
  shareCpu,
  metrics,
  errors
} = rspool
export default rspool
