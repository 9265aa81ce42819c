import { AtomicCounters, type SharedCounters } from 'rspool'
import { is } from './assert.mjs'

const counters = new AtomicCounters(['hits', 'misses'])
is<number>()(counters.add('hits'), true)
is<number>()(counters.sub('misses', 2n), true)
is<bigint>()(counters.getBigInt('hits'), true)
is<{ hits: number; misses: number }>()({ ...counters.snapshot() }, true)
is<number>()(counters.reset('hits'), true)
is<SharedCounters>()(counters.share(), true)
is<AtomicCounters<'hits' | 'misses'>>()(AtomicCounters.from(counters), true)
is<AtomicCounters<'a'>>()(AtomicCounters.from<'a'>(counters.share()), true)
new AtomicCounters(['a'], { buffer: new SharedArrayBuffer(64) })

// @ts-expect-error an unknown counter
counters.add('hit')
// @ts-expect-error
counters.add('hits', '1')
// @ts-expect-error
new AtomicCounters('hits')
// @ts-expect-error not shared
new AtomicCounters(['a'], { buffer: Buffer.alloc(64) })
