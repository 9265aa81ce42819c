'use strict'

// What the compiler says of a wrong call: it names the mistake, and not another way to call.

const path = require('node:path')
const test = require('ava')
const ts = require('typescript')
const { directory } = require('./helpers')

const root = path.join(__dirname, '..')

/** A wrong line, and what the compiler must say of it. @type {[code: string, message: RegExp][]} */
const wrong = [
  ["runTask('hash.sha265', 'x')", /'"hash\.sha265"' is not assignable to parameter of type '"hash\.sha256" \| /],
  ["runTask('hash.sha256', 5)", /'number' is not assignable to parameter of type 'BytesLike'/],
  ["runTask('hash.sha256', 'x', { params: { encoding: 'hexx' } })", /'"hexx"' is not .* Did you mean '"hex"'/],
  ["runTask('compress.gzip', 'x', { params: { levl: 1 } })", /'levl' does not exist .* Did you mean to write 'level'/],
  ["runTask('hash.sha256', 'x', { timout: 1 })", /'timout' does not exist .* Did you mean to write 'timeout'/],
  ['runTask((a: number, b: number) => a + b, [1])', /Source has 1 element\(s\) but target requires 2/],
  ["runTask((a: number) => a, 'x')", /'string' is not assignable to parameter of type 'number \| /],
  ["runTaskSync('hash.sha256', 5)", /'number' is not assignable to parameter of type 'BytesLike'/],
  ["pool.runTask('hash.sha265', 'x')", /'"hash\.sha265"' is not assignable to parameter of type '"hash\.sha256" \| /],
  ["pool.runTask('hash.sha256', 5)", /'number' is not assignable to parameter of type 'BytesLike'/],
  ["pool.runTask('array.sort', [3, 1])", /'number\[\]' is not assignable|'\[number, number\]' is not assignable/],
  ["pool.runTask('resize', 1, { affinty: 'a' })", /'affinty' does not exist .* Did you mean to write 'affinity'/],
  ['pool.runTask((a: number, b: number) => a + b, [1])', /Source has 1 element\(s\) but target requires 2/],
  ["pool.runTaskSync('math.fibonacci', '30')", /'string' is not assignable to parameter of type 'number \| bigint'/],
  ["tasks.hash.sha256('x', { params: { encoding: 'hexx' } })", /Did you mean '"hex"'/],
  ['new Pool({ maxTreads: 2 })', /'maxTreads' does not exist .* Did you mean to write 'maxThreads'/]
]

/** Calls that are right, of the kinds that the types once refused. */
const right = [
  "pool.exports<{ square(n: number): number }>().square(2, { affinity: 'a', onProgress() {}, context: { user: 1 } })",
  'runTask((a: number, b: number) => a + b, [1, 2]).then((sum: number) => sum)',
  "pool.runTask('resize', 1, { affinity: 'a' })"
]

test('the compiler names what is wrong with a call', (t) => {
  t.timeout(240_000)
  const before = [
    "import { Pool, runTask, runTaskSync, tasks } from 'rspool'",
    "const pool = new Pool({ filename: './w.mjs' })"
  ]
  const lines = [...before, ...wrong.map(([code]) => code), ...right]
  const dir = directory(t, { 'wrong.mts': lines.join('\n') })
  const { NodeNext } = ts.ModuleResolutionKind
  const program = ts.createProgram([path.join(dir, 'wrong.mts')], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
    paths: { rspool: [path.join(root, 'index.d.ts')] }
  })
  const told = new Map()
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = file?.getLineAndCharacterOfPosition(start).line
    told.set(line, `${told.get(line) ?? ''}${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  }
  for (const [i, [code, message]] of wrong.entries())
    t.regex((told.get(before.length + i) ?? '').replaceAll('\n', ' '), message, code)
  for (const [i, code] of right.entries()) t.is(told.get(before.length + wrong.length + i), undefined, code)
})
