const assert = require('node:assert')
const { Pool, runTask } = require('rspool')

async function main() {
  const pool = new Pool({ filename: require.resolve('./square.cjs'), maxThreads: 2 })
  assert.strictEqual(await runTask('hash.crc32', 'x'), 0x8cdc1683)
  assert.deepStrictEqual(await pool.run(4), [16, true])
  assert.deepStrictEqual(await pool.runTask({ filename: require.resolve('./cube.mjs') }, 4), [64, true])
  assert.strictEqual(await pool.runTask((n) => n + 1, 1), 2)
  assert.match(require('rspool/package.json').version, /^\d/)
  console.log('CommonJS is fine')
}

main()
