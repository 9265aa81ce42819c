const { isWorkerThread } = require('rspool/worker')

module.exports = (n) => [n * n, isWorkerThread]
