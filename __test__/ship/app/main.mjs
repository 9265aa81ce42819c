import assert from 'node:assert'
import rspool, { Pool, runTask } from 'rspool'

const pool = new Pool({ filename: new URL('./cube.mjs', import.meta.url), maxThreads: 2 })
assert.strictEqual(await runTask('hash.crc32', 'x'), 0x8cdc1683)
assert.deepStrictEqual(await pool.run(4), [64, true])
assert.deepStrictEqual(await pool.runTask({ filename: new URL('./square.cjs', import.meta.url) }, 4), [16, true])
assert.strictEqual(await pool.runTask(async () => (await import('rspool/worker')).isWorkerThread), true)
assert.strictEqual(rspool.Pool, Pool)
console.log('ESM is fine')
