// Counters, gauges and histograms that all processes of a cluster share.

/**
 * 64-bit counters over a region: each slot adds to a row of its own, and a reading is the sum. The counts of a killed
 * process stay. Methods throw `ERR_RSPOOL_INVALID_ARGUMENT` for unknown names.
 */
export class ClusterCounters {
  /** The counters in another thread of the same process. */
  static from(shared: ReturnType<ClusterCounters['share']>): ClusterCounters
  /** The names of the counters. */
  readonly names: string[]
  /** Adds, and gives the new total. Other processes may be adding at the same time. @param n 1 by default */
  add(name: string, n?: number | bigint): number
  /** Subtracts, and gives the new total. @param n 1 by default */
  sub(name: string, n?: number | bigint): number
  /** The total, rounded beyond 2⁵³. */
  get(name: string): number
  /** The total, exact. */
  getBigInt(name: string): bigint
  /** Sets the total to `value`. Counts that others add meanwhile are kept. */
  set(name: string, value: number | bigint): number | bigint
  /** Sets the total to 0, and gives the total before. */
  reset(name: string): number
  /** Sets all totals to 0, and gives the totals before. */
  reset(): Record<string, number>
  /** All totals. */
  snapshot(): Record<string, number>
  /** Plain data for `workerData`; valid in threads of this process only. */
  share(): { fd: number; names: object; row: number }
  /** As `snapshot()`. */
  toJSON(): Record<string, number>
}

/** Each process sets its own share; a reading is the sum. The share of a process that has ended is 0. */
export interface ClusterGauges {
  /** The names of the gauges. */
  readonly names: string[]
  /** Sets the share of this process. */
  set(name: string, value: number): void
  /** Adds to the share of this process, and gives the new share. @param value 1 by default */
  add(name: string, value?: number): number
  /** The sum of all shares. */
  get(name: string): number
  /** All sums. */
  snapshot(): Record<string, number>
}

/** A histogram at one moment, over all processes. */
export interface HistogramReading {
  /** The upper bounds of the buckets, in rising order. */
  readonly bounds: number[]
  /** How many values were in each bucket. The last bucket is for values above all bounds. */
  readonly buckets: number[]
  /** The sum of all values. */
  readonly sum: number
  /** How many values there were. */
  readonly count: number
}

/** Histograms that all processes count into. */
export interface ClusterHistograms {
  /** The names of the histograms. */
  readonly names: string[]
  /** Counts a value. */
  observe(name: string, value: number): void
  /** One histogram. */
  get(name: string): HistogramReading
  /** All histograms. */
  snapshot(): Record<string, HistogramReading>
}
