'use strict'

// The site that `npm run docs` has built: no link leads nowhere, and no page is wider than its window.

const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const test = require('ava')
const { dist } = require('../../scripts/docs')

const browsers = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser']
const browser = browsers.find((file) => file !== undefined && fs.existsSync(file))
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

const pages = fs
  .readdirSync(dist, { recursive: true })
  .map((file) => String(file).replaceAll(path.sep, '/'))
  .filter((file) => file.endsWith('.html') && file !== '404.html')

/** @param {string} page */
const read = (page) => fs.readFileSync(path.join(dist, page), 'utf8')

/** The file that a link of a page leads to, and the id in it; undefined for one that leads to another site. */
function resolve(page, link) {
  if (/^[a-z]+:|^\/\//.test(link)) return undefined
  const [target, id] = link.split('#')
  const file = path.posix.join('/', target.startsWith('/') ? '' : path.posix.dirname(page), target).slice(1)
  return { file: target === '' ? page : file === '' || file.endsWith('/') ? `${file}index.html` : file, id }
}

test('the site has a page for each page of the docs, and for what the package exports', (t) => {
  for (const name of ['index', 'pools', 'recipes', 'migrate/piscina', 'api/index', 'api/index/classes/Pool'])
    t.true(pages.includes(`${name}.html`), name)
  t.true(pages.length > 100)
})

test('no link of the site leads nowhere', (t) => {
  const ids = new Map()
  const idsOf = (page) => {
    if (!ids.has(page)) ids.set(page, new Set(Array.from(read(page).matchAll(/ id="([^"]+)"/g), ([, id]) => id)))
    return ids.get(page)
  }
  const dead = new Set()
  for (const page of pages) {
    for (const [, link] of read(page).matchAll(/(?:href|src)="([^"]+)"/g)) {
      const place = resolve(page, link.replaceAll('&amp;', '&'))
      if (place === undefined) continue
      const there = fs.existsSync(path.join(dist, place.file))
      const named = place.id === undefined || place.id === '' || !there || !place.file.endsWith('.html')
      if (!there || !(named || idsOf(place.file).has(decodeURIComponent(place.id)))) dead.add(`${page}: ${link}`)
    }
  }
  t.deepEqual([...dead], [])
})

/** Serves the files of the site. */
async function serve(t) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://site')
    const file = path.join(dist, decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname))
    if (!file.startsWith(dist) || !fs.existsSync(file)) return response.writeHead(404).end()
    response.setHeader('content-type', types[path.extname(file)] ?? 'application/octet-stream')
    fs.createReadStream(file).pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${server.address().port}/`
}

const inBrowser = browser === undefined ? test.skip : test

inBrowser('no page scrolls sideways, on a desk or on a phone, and none has an error', async (t) => {
  t.timeout(600_000)
  const { chromium } = require('playwright-core')
  const origin = await serve(t)
  const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] })
  t.teardown(() => chrome.close())
  const own = pages.filter((page) => !page.startsWith('api/') || /^api\/index\/(index|classes\/Pool)/.test(page))
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 375, height: 700 }
  ]) {
    const tab = await chrome.newPage({ viewport })
    tab.setDefaultTimeout(120_000)
    const errors = []
    tab.on('pageerror', (error) => errors.push(`${tab.url()}: ${error.message}`))
    for (const page of own) {
      await tab.goto(origin + page)
      const { clientWidth, scrollWidth } = await tab.evaluate(() => {
        const { clientWidth, scrollWidth } = globalThis.document.documentElement
        return { clientWidth, scrollWidth }
      })
      t.true(scrollWidth <= clientWidth, `${page} is ${scrollWidth} wide in a window of ${clientWidth}`)
    }
    t.deepEqual(errors, [])
    await tab.close()
  }
})
