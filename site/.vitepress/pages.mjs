// The pages of the site, in the order of the sidebar. A page that is named nowhere is under "More".

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the pages. */
export const folder = fileURLToPath(new URL('../pages', import.meta.url))

/** @type {[group: string, pages: string[]][]} */
const groups = [
  ['Begin', ['install', 'pools', 'scripts', 'tasks', 'values', 'errors']],
  [
    'In depth',
    ['observation', 'counters', 'performance', 'sizing', 'tables', 'images', 'your-own-rust', 'adding-a-task']
  ],
  ['Processes and machines', ['cluster', 'shared-state', 'sticky-sessions', 'fleet', 'operations']],
  ['Guides', ['recipes', 'testing', 'bundlers', 'troubleshooting', 'security', 'comparison']],
  ['Coming from', []],
  ['The project', ['versions', 'ARCHITECTURE']],
  ['More', []]
]

/** @param {string} page */
function titleOf(page) {
  const text = fs.readFileSync(path.join(folder, `${page}.md`), 'utf8')
  return (/^# (.+)$/m.exec(text)?.[1] ?? page).replaceAll('`', '').replace(/^From /, '')
}

/** @param {string} page */
const item = (page) => ({ text: titleOf(page), link: `/${page}` })

/** @param {string} under */
function pagesOf(under) {
  const place = path.join(folder, under)
  if (!fs.existsSync(place)) return []
  return fs
    .readdirSync(place)
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.posix.join(under, file.slice(0, -'.md'.length)))
    .sort()
}

/** The API reference: a group for each entry of the package, an item for each class and the like. */
function reference() {
  const words = (/** @type {string} */ name) => (name === 'index' ? 'rspool' : `rspool/${name}`)
  const place = path.join(folder, 'api')
  if (!fs.existsSync(place)) return []
  return fs
    .readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      text: words(name),
      collapsed: true,
      items: [
        { text: 'Overview', link: `/api/${name}/` },
        ...['classes', 'functions', 'interfaces', 'type-aliases', 'variables'].flatMap((kind) =>
          pagesOf(`api/${name}/${kind}`).map((page) => ({ text: path.posix.basename(page), link: `/${page}` }))
        )
      ]
    }))
}

export function sidebar() {
  const named = new Set(['index', ...groups.flatMap(([, pages]) => pages)])
  const there = new Set(pagesOf('.'))
  const rest = { 'Coming from': pagesOf('migrate'), More: [...there].filter((page) => !named.has(page)) }
  return [
    ...groups
      .map(([text, pages]) => ({
        text,
        collapsed: text === 'Coming from',
        items: [...pages.filter((page) => there.has(page)), ...(rest[text] ?? [])].map(item)
      }))
      .filter(({ items }) => items.length > 0),
    { text: 'API reference', collapsed: true, items: reference() }
  ]
}
