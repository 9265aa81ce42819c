import rspool from './index.js'

export const { Pool, WorkerPool, runTask, runTaskSync, tasks, AtomicCounters, cluster, move, cpuCount, errors } = rspool
export default rspool
