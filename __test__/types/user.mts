// What a user writes, in an ES module. It is compiled, never run.

import rspool, { AtomicCounters, cpuCount, type NativeParams, type NativeResult, type SharedCounters } from 'rspool'

// Merging works here as in CommonJS: both see the same declarations.
declare module 'rspool' {
  interface NativeTasks {
    'test.merged': { input: number; params: { factor?: number }; result: string }
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_T extends true>(): void {}

const count: number = cpuCount() + rspool.cpuCount()

const counters = new AtomicCounters(['hits', 'misses'])
const hits: number = counters.add('hits') + count
const exact: bigint = counters.getBigInt('misses')
const shared: SharedCounters = counters.share()
AtomicCounters.from(shared).snapshot()
// @ts-expect-error: no such counter
counters.add('hit')
// @ts-expect-error: a number or a bigint
counters.set('hits', '1')

same<Same<NativeResult<'hash.sha256', string, never>, Buffer>>()
same<Same<NativeResult<'hash.sha256', string, 'hex'>, string>>()
same<Same<NativeResult<'hash.xxh3', string, never>, bigint>>()
same<Same<NativeResult<'array.sort', Float64Array, never>, Float64Array>>()
same<Same<NativeResult<'test.merged', number, never>, string>>()
const params: NativeParams<'test.merged', never> = { factor: 2 }

export { exact, hits, params }
