// The pages are written for GitHub. What is different on the site is changed here, not in the pages.

import path from 'node:path'

const repository = 'https://github.com/rspool/rspool/blob/main/'

/** The id of a heading, as GitHub makes it. @param {string} title */
export function slugify(title) {
  return title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** A picture for the two themes becomes two images, as a reader may choose a theme that is not the system's. */
const picture =
  /<picture>[\s\S]*?srcset="(?<dark>[^"]+)"[\s\S]*?alt="(?<alt>[^"]*)" src="(?<light>[^"]+)"[\s\S]*?<\/picture>/g

/** @param {import('markdown-it').default} md */
export function forTheSite(md) {
  md.core.ruler.push('rspool', ({ tokens, env }) => {
    for (const token of tokens) {
      if (token.type === 'html_block')
        token.content = token.content.replace(picture, (...match) => {
          const { dark, light, alt } = match.at(-1)
          const image = (/** @type {string} */ src, /** @type {string} */ theme) =>
            `<img class="${theme}-only" alt="${alt}" src="./${src}">`
          return `<p>${image(light, 'light')}${image(dark, 'dark')}</p>`
        })
      for (const child of token.children ?? []) {
        if (child.type !== 'link_open') continue
        const href = child.attrGet('href') ?? ''
        if (/^([a-z]+:|#|\/)/.test(href)) continue
        const file = path.posix.join('docs', path.posix.dirname(env.relativePath ?? ''), href)
        if (!file.startsWith('docs/')) child.attrSet('href', repository + file)
      }
    }
  })
}
