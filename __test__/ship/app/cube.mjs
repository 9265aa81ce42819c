import { isWorkerThread } from 'rspool/worker'

export default (n) => [n ** 3, isWorkerThread]
