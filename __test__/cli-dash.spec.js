'use strict'

const fs = require('node:fs')
const http = require('node:http')
const { once } = require('node:events')
const test = require('ava')
const { startPrimary, request, until } = require('./cluster/harness')
const { startRspool } = require('./cluster/rspool')

const CHROMIUM = '/usr/bin/chromium'
const onLinux = process.platform === 'linux' ? test.serial : test.skip
const inBrowser = process.platform === 'linux' && fs.existsSync(CHROMIUM) ? test.serial : test.skip

async function startDash(t, pid) {
  const dash = startRspool(t, ['dash', '-p', pid, '--json'])
  await until(() => dash.out.endsWith('\n'))
  return { dash, url: new URL(JSON.parse(dash.out).url) }
}

/** The status of one request, with headers of its own. */
async function statusOf(url, headers = {}, method = 'GET') {
  const { port, pathname, search } = new URL(url)
  const asked = http.request({ host: '127.0.0.1', port, path: pathname + search, method, headers }).end()
  const [response] = await once(asked, 'response')
  response.destroy()
  return response.statusCode
}

onLinux('who does not know the token gets nothing, and no other name leads to the page', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const { dash, url } = await startDash(t, primary.child.pid)
  t.is(url.hostname, '127.0.0.1')
  t.true(url.searchParams.get('token').length >= 32)
  t.is(await statusOf(url), 200)
  t.is(await statusOf(url.href, { host: 'evil.example' }), 403)
  for (const path of ['/', '/events', '/stack?slot=0', '/?token=', '/events?token=wrong']) {
    t.is(await statusOf(new URL(path, url)), 403)
    t.is(await statusOf(new URL(path, url), {}, 'POST'), 403)
  }
  t.is(await statusOf(`${url.origin}/other${url.search}`), 404)
  dash.child.kill('SIGTERM')
  t.deepEqual(await dash.ended, { code: 0, signal: null })
})

onLinux('the events say what the cluster does, from the first moment on', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 2 } })
  const { url } = await startDash(t, primary.child.pid)
  const asked = http.get(new URL(`/events${url.search}`, url))
  t.teardown(() => asked.destroy())
  const [response] = await once(asked, 'response')
  t.is(response.headers['content-type'], 'text/event-stream')
  const [first] = await once(response.setEncoding('utf8'), 'data')
  const view = JSON.parse(/^data: (.*)\n\n/.exec(first)[1])
  t.like(view, { pid: primary.child.pid, state: 'ready', size: 2 })
})

for (const [width, colorScheme] of [
  [1280, 'light'],
  [360, 'dark']
]) {
  inBrowser(`the page shows what hangs, its request and its stack, ${width} pixels wide`, async (t) => {
    const { primary, port } = await startPrimary(t, { options: { processes: 2, stallTimeout: 600_000 } })
    const { url } = await startDash(t, primary.child.pid)
    const { chromium } = require('playwright-core')
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: 100_000 })
    t.teardown(() => browser.close())
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
    page.setDefaultTimeout(100_000)
    const complaints = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(url.href)
    await page.getByText('2 of 2').waitFor()
    t.is(await page.locator('.process').count(), 2)

    request(port, '/block').catch(() => {})
    const silent = page.locator('.process.silent')
    await silent.waitFor()
    await page.getByText('1 of 2').waitFor()
    await page.locator('#requests code', { hasText: 'GET /block' }).waitFor()
    const pathOf = () => silent.locator('path').last().getAttribute('d')
    const before = await pathOf()
    t.regex(before, /^M[\d.]+ /)
    await until(async () => (await pathOf()) !== before)

    await silent.getByRole('button', { name: 'Stack' }).click()
    await page.locator('dialog pre', { hasText: /app\.js:\d+/ }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    t.is(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0)
    t.deepEqual(complaints, [])
  })
}
