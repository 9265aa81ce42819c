'use strict'

// The alerts and the dashboard ask for what the metrics tell.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { startPrimary } = require('./cluster/harness')

const folder = path.join(__dirname, '..', 'examples', 'monitoring')
const read = (file) => fs.readFileSync(path.join(folder, file), 'utf8')

test('every metric and label that the alerts and the dashboard use is there', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const text = await primary.call('metrics')
  const told = new Set(text.match(/^# TYPE \S+/gm).map((line) => line.slice('# TYPE '.length)))
  const { panels } = JSON.parse(read('dashboard.json'))
  const queries = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...read('alerts.yml')
      .split('\n')
      .filter((line) => /rspool_\w+/.test(line) && !/npx/.test(line))
  ]
  const used = queries.flatMap((query) => query.match(/\brspool_\w+/g))
  t.true(used.length > 20)
  t.deepEqual(
    used.filter((name) => !told.has(name)),
    []
  )
})

test('the states that are asked for exist', (t) => {
  const types = fs.readFileSync(path.join(__dirname, '..', 'types', 'cluster', 'status.d.ts'), 'utf8')
  const states = (read('alerts.yml') + read('dashboard.json'))
    .match(/state=\\?"\w[\w-]*/g)
    .map((found) => found.split('"')[1])
  for (const state of new Set(states)) t.true(types.includes(`'${state}'`), state)
})
