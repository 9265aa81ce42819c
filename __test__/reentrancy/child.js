'use strict'

// Runs the cells of one part of the matrix, from the one whose number is given on, and prints a line of JSON
// for each. A cell whose calls never settle ends the process: what it left behind is nobody's.

const { actions } = require('./actions')
const { Scene, marks, rspool } = require('./scene')
const inside = require('./inside')

const [part, from = '0', place] = process.argv.slice(2)
const { places } = require(`./${part}`)
/** A hang is the only thing that takes so long. */
const PATIENCE = Number(process.env.PATIENCE ?? 15_000)

/** @typedef {{ name: string, place: any, lane: string, action: { name: string, act: (scene: any) => void } }} Cell */

/** @returns {Cell[]} */
function cells() {
  const all = /** @type {Cell[]} */ ([])
  for (const [name, place] of Object.entries(places)) {
    for (const lane of place.lanes ?? ['script', 'native']) {
      const named = place.inside ? inside.actions : Object.keys(actions).filter((action) => action !== 'exit')
      for (const action of named) {
        if (place.skip?.includes(action)) continue
        // In a worker it is the script that acts.
        const act = place.inside ? () => {} : actions[action]
        all.push({ name: `${name} × ${action} × ${lane}`, place, lane, action: { name: action, act } })
      }
    }
  }
  return all
}

const script = require.resolve('./script.js')

function makePool(place) {
  return new rspool.Pool({
    filename: script,
    maxThreads: 2,
    abortGrace: 60_000,
    workerData: { marks },
    ...place.options
  })
}

/** @type {any} */
let pool
/** @type {any} */
let owner

/** One pool for the cells of a place, as long as none has ended it. @param {Cell} cell */
async function poolFor({ place }) {
  if (pool !== undefined && (owner !== place || place.fresh)) {
    await pool.close()
    pool = undefined
  }
  owner = place
  if (pool === undefined) {
    pool = makePool(place)
    if (!place.fresh) await Promise.all([pool.run(0), pool.run(1), pool.runTask('test.echo', 0)])
  }
  return pool
}

/** @type {Scene | undefined} */
let scene
process.on('uncaughtException', (error) => {
  if (scene === undefined) throw error
  scene.uncaught.push(error)
})

/** @param {Cell} cell @param {Scene} scene */
async function play({ place, action }, scene) {
  scene.place = place
  if (action.name === 'abort' && !place.inside) scene.addVictim()
  scene.arm()
  try {
    run(() => begin(place, scene), place, scene)
    for (let i = 0; i < scene.calls.length; i++) await Promise.allSettled([scene.calls[i].promise])
    // What is told after the calls have ended.
    if (!place.inside) await scene.reached
    for (let i = 0; i < scene.calls.length; i++) await Promise.allSettled([scene.calls[i].promise])
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  } finally {
    scene.restore()
  }
  if (place.inside) await askInside(scene, action)
  await scene.judge(place)
}

/** Makes the calls of a cell. */
function begin(place, scene) {
  if (!place.alone) scene.addBystanders()
  const trigger = place.calls(scene)
  if (!place.alone) scene.addBystanders()
  scene.block()
  if (trigger !== undefined) run(trigger, place, scene)
}

/** What is thrown at the place may come out here, where the place says nothing else. */
function run(work, place, scene) {
  try {
    work()
  } catch (error) {
    if (error !== scene.thrown || place.thrown === 'rejects') throw error
    scene.uncaught.push(error)
  }
}

/** Both isolates may have been at the place. */
async function askInside(scene, action) {
  for (const { acted, problems } of await scene.pool.broadcast('report')) {
    scene.acted += acted
    scene.problems.push(...problems)
  }
  // Whoever has exited tells nothing any more.
  if (action.name === 'exit' || (action.name === 'throw' && scene.place.deadly)) scene.acted = 1
}

/** @param {Cell} cell */
async function playCell(cell) {
  const problems = /** @type {string[]} */ ([])
  const rounds =
    cell.place.ends || cell.place.fresh || cell.action.name === 'close' || cell.action.name === 'destroy' ? 1 : 3
  for (let round = 0; round < rounds; round++) {
    scene = new Scene(await poolFor(cell), cell.lane, cell.action)
    scene.round = round
    await play(cell, scene)
    if (scene.ended) {
      await scene.closing
      pool = undefined
    } else if (!cell.place.fresh) await worksOn(scene)
    problems.push(...scene.problems)
    if (problems.length > 0) {
      pool?.destroy()
      pool = undefined
      break
    }
  }
  return problems
}

async function worksOn(scene) {
  const got = [await scene.pool.run('works on'), await scene.pool.runTask('test.echo', 'works on')]
  if (got.some((each) => each !== 'works on')) scene.problems.push('the pool does not work on')
}

/** The cells of a part, each with its number. */
async function playAll(from) {
  const all = cells()
  let failed = false
  for (let n = from; n < all.length; n++) {
    const tell = (problems) => console.log(JSON.stringify({ n, of: all.length, cell: all[n].name, problems }))
    const watchdog = setTimeout(() => {
      tell([scene?.acted === 0 ? 'the place was never reached' : 'a call never settles'])
      process.exit(9)
    }, PATIENCE)
    const problems = await playCell(all[n]).catch((error) => [`the cell itself failed: ${error?.stack}`])
    clearTimeout(watchdog)
    tell(problems)
    failed ||= problems.length > 0
  }
  scene = undefined
  // A process in which all is well ends by itself.
  if (failed) process.exit(1)
  await pool?.close()
}

/** One place at which the process is ended. It lives until then, also where the place comes after the calls. */
async function playExit(name) {
  const place = places[name]
  setInterval(() => {}, 1_000_000)
  const cell = { place, lane: (place.lanes ?? ['script'])[0], action: { name: 'exit', act: actions.exit } }
  scene = new Scene(await poolFor(cell), cell.lane, cell.action)
  scene.round = 0
  await play(cell, scene)
}

if (from === 'exit') playExit(place)
else playAll(Number(from))
