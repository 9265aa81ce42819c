'use strict'

// An app of Next.js that is deployed as its folder `standalone`.

const { execFile, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { toolsOf } = require('../../scripts/tools')
const { directory, fixture } = require('../helpers')
const { TUPLE, tool, unpack } = require('./packages')

const files = {
  'package.json': '{ "name": "app", "private": true }',
  // The packages of Next.js are above the app, so that is where its files begin.
  'next.config.mjs': `import path from 'node:path'
export default {
  output: 'standalone',
  serverExternalPackages: ['rspool'],
  outputFileTracingRoot: path.dirname(import.meta.dirname),
  outputFileTracingIncludes: { '/api/**': ['./workers/**'] }
}
`,
  'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>\n',
  'app/api/double/route.js': `import path from 'node:path'
import { Pool, runTask } from 'rspool'
export const dynamic = 'force-dynamic'
const pool = new Pool({ filename: path.join(process.cwd(), 'workers/double.js'), maxThreads: 1 })
export async function GET() {
  return Response.json(await Promise.all([pool.run(20), pool.runTask((n) => n + 1, 1), runTask('hash.crc32', 'text')]))
}
`,
  // It takes no port 0.
  'any-port.cjs': `const { Server } = require('node:net')
const { listen } = Server.prototype
Server.prototype.listen = function (port, ...rest) { return listen.call(this, port === 3000 ? 0 : port, ...rest) }
`,
  'workers/double.js':
    "const { isWorkerThread } = require('rspool/worker')\nmodule.exports = (n) => [isWorkerThread, n * 2]\n"
}

test('the standalone folder of a Next.js app has the addon, and its server answers with results of tasks', async (t) => {
  const above = toolsOf('ship')
  const dir = fs.mkdtempSync(path.join(above, 'next-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), text)
  }
  for (const name of ['rspool', `rspool-${TUPLE}`]) unpack(name, path.join(dir, 'node_modules', name))
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production', NODE_OPTIONS: '' }
  const built = await promisify(execFile)(process.execPath, [tool('next/dist/bin/next'), 'build'], { cwd: dir, env })
  t.log(built.stdout)

  // Where it is deployed there is nothing else.
  const elsewhere = directory(t, {})
  fs.cpSync(path.join(dir, '.next/standalone'), elsewhere, { recursive: true, verbatimSymlinks: true })
  const args = ['--require', path.join(dir, 'any-port.cjs'), '--require', fixture('tell-port.cjs'), 'server.js']
  const cwd = path.join(elsewhere, path.basename(dir))
  const server = spawn(process.execPath, args, {
    cwd,
    env: { ...env, HOSTNAME: '127.0.0.1', PORT: '3000' },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe']
  })
  t.teardown(() => server.kill('SIGKILL'))
  const [port] = await once(server.stdio[3].setEncoding('utf8'), 'data')
  const response = await fetch(`http://127.0.0.1:${port.trim()}/api/double`)
  t.deepEqual(await response.json(), [[true, 40], 2, 999008199])
})
