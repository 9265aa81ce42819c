import rspool from './index.js'

export const { Pool, WorkerPool, runTask, tasks, move, cpuCount, errors } = rspool
export default rspool
