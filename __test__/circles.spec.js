'use strict'

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { root } = require('./helpers')

/** The files of lib that a file of it names, whenever it loads them. */
function namedIn(file) {
  const text = fs.readFileSync(file, 'utf8')
  return [...text.matchAll(/\brequire\('(\.[^']*)'\)/g)].flatMap(([, name]) => {
    const place = path.resolve(path.dirname(file), name)
    return [place, `${place}.js`, path.join(place, 'index.js')].filter(
      (each) => each.endsWith('.js') && fs.existsSync(each) && fs.statSync(each).isFile()
    )
  })
}

/** The first way from a file of `files` back to it. */
function circleIn(files) {
  const done = new Set()
  const visit = (file, way) => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of namedIn(file)) {
      const found = visit(next, [...way, file])
      if (found !== undefined) return found
    }
    done.add(file)
  }
  for (const file of files) {
    const found = visit(file, [])
    if (found !== undefined) return found.map((each) => path.relative(root, each)).join(' -> ')
  }
}

test('no two files of lib need each other, not even later or by way of others', (t) => {
  const lib = path.join(root, 'lib')
  const files = fs
    .readdirSync(lib, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => path.join(lib, name))
  t.true(files.length > 100)
  t.is(circleIn(files), undefined)
})
