import { cluster, SharedMap } from 'rspool'
import { is } from './assert.mjs'

const map = new SharedMap<{ name: string } | number>({ bytes: '1MB', ttl: 1000, evict: false, maxValueBytes: 100 })
is<number | { name: string } | undefined>()(map.get('key'), true)
is<boolean>()(map.set('key', 1, { ttl: Infinity }), true)
is<number>()(map.increment('key'), true)
is<bigint>()(map.increment('key', 1n, { initial: 5n }), true)
is<Promise<number>>()(
  map.getOrCompute('key', async () => 5, { ttl: 5, stale: 5 }),
  true
)
for (const key of map.keys({ prefix: 'a' })) is<string>()(key, true)
const other = SharedMap.from<number>(map.share())
is<number | undefined>()(
  other.update('key', (before = 0) => before + 1),
  true
)
is<Promise<number | undefined>>()(other.wait('key', { version: other.version('key'), timeout: 5 }), true)

// @ts-expect-error: no such value
map.set('key', 'text')
// @ts-expect-error: bytes are missing
new SharedMap({ ttl: 5 })
// @ts-expect-error: no such option
map.set('key', 1, { tll: 5 })

cluster.run(({ maps }) => void maps.cache?.get('key'), { maps: { cache: { bytes: 2 ** 20 } } })
