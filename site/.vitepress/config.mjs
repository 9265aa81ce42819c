import { defineConfig } from 'vitepress'
import { forTheSite, slugify } from './markdown.mjs'
import { sidebar } from './pages.mjs'

export default defineConfig({
  title: 'rspool',
  description: 'One pool for all the CPU work of a Node.js app',
  srcDir: 'pages',
  base: process.env.SITE_BASE ?? '/',
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light', dark: 'github-dark' },
    config: forTheSite
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/pools' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'API', link: '/api/' },
      { text: 'Changes', link: 'https://github.com/rspool/rspool/blob/main/CHANGELOG.md' }
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: 'https://github.com/rspool/rspool' }],
    footer: { message: 'MIT licence' }
  }
})
