'use strict'

// Somebody gives Object.prototype an accessor of a name that this package uses: none of its own objects may meet it.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { fixture, node, root } = require('./helpers')

/** Those that Node.js itself cannot do with, or that every object has. */
const OF_NODE = new Set([
  'constructor',
  'name',
  'message',
  'stack',
  'then',
  'value',
  'port',
  'options',
  'url',
  'threadId',
  'id',
  'filename',
  'resolve',
  'bytes'
])

/** The names that are assigned as properties of `this` in the pool and in its workers. */
function assigned() {
  const names = new Set()
  for (const folder of ['pool', 'payload', 'native', 'worker']) {
    for (const file of fs.readdirSync(path.join(root, 'lib', folder), { recursive: true })) {
      if (!file.endsWith('.js')) continue
      const text = fs.readFileSync(path.join(root, 'lib', folder, file), 'utf8')
      for (const [, name] of text.matchAll(/\bthis\.(\w+) = /g)) names.add(name)
    }
  }
  return [...names].filter((name) => !OF_NODE.has(name)).sort()
}

/** What a program prints in which these names are accessors, in it and in its workers. */
function run(names, body) {
  const source = `
    const rspool = require(${JSON.stringify(path.join(root, 'index.js'))})
    const filename = ${JSON.stringify(fixture('tasks.js'))}
    for (const name of ${JSON.stringify(names)})
      Object.defineProperty(Object.prototype, name, {
        configurable: true,
        get() { return undefined },
        set() { throw new Error('set ' + name) }
      })
    ;(async () => { ${body} })().catch((error) => console.log('failed', error.message))
  `
  return node(['-e', source])
}

const BODY = `
  const pool = new rspool.Pool({ filename, maxThreads: 1, timeout: 60_000 })
  const out = []
  out.push(await pool.run(1), await pool.runTask('square', 3, { priority: 1, timeout: 50_000 }))
  out.push(await pool.runTask((a, b) => a + b, [1, 2]), pool.runSync(5), await pool.runTask('hash.crc32', 'text'))
  out.push((await pool.settled([1, 2])).length)
  for await (const each of pool.map([7], 'square')) out.push(each)
  for await (const each of pool.stream(function* () { yield 8 }, [])) out.push(each)
  out.push(await pool.runTask('throws').catch((error) => error.code))
  const { result } = pool.channel(() => 9, [])
  out.push(await result, pool.stats().failed)
  await pool.close()
  console.log(JSON.stringify(out))
`

test('a pool works where the names of its own properties are accessors of Object.prototype', async (t) => {
  const names = assigned()
  t.true(names.length > 30 && names.includes('timeout'))
  const { stdout } = await run(names, BODY)
  t.is(stdout, '[1,9,3,5,999008199,2,49,8,"E_RANGE",9,1]\n')
})
