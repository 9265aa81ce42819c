'use strict'

// The memory that the processes of a cluster share, in its primary: the region with everything in it, and the maps.

const { availableParallelism } = require('../../native/load')
const { SharedRegion, CLAIMS, microseconds } = require('../region')
const { ClusterCounters } = require('../counters')
const { SharedGauges, SharedHistograms } = require('../gauges')
const { SharedKeys } = require('../keys')
const { ClusterMaps } = require('../maps')
const { Topics } = require('../topics')
const version = require('../../version')
const { adminPath } = require('./admin')
const { rowOf, seatsFor } = require('./seats')

class Shared {
  /** @param {import('./spec').Spec} spec @param {import('../options').ClusterOptions} options */
  constructor(spec, options) {
    const names = { counters: options.counters, gauges: options.gauges, histograms: options.histograms }
    const seats = seatsFor(options)
    const room = {
      rows: rowOf(options, options.maxProcesses),
      seats,
      slots: options.maxProcesses,
      tokens: availableParallelism(),
      claims: CLAIMS,
      once: options.onceKeys,
      limits: Object.keys(options.limits).length > 0 ? options.limitKeys : 0,
      ring: options.publishBytes
    }
    const region = SharedRegion.create(names, room, describe(spec, options, names))
    region.useRow(0)
    const { fd } = region.native
    this.names = names
    this.region = region
    this.counters = new ClusterCounters(region, 0, { fd, names })
    this.gauges = new SharedGauges(region, 0)
    this.histograms = new SharedHistograms(region, 0)
    this.topics = new Topics(region, { generation: 0 })
    this.keys = new SharedKeys(fd, -1, options.limits)
    this.maps = new ClusterMaps(options.maps, seats)
  }

  close() {
    this.topics.close()
    this.keys.close()
  }
}

/**
 * The description of the cluster in the region, for programs outside.
 * @param {import('./spec').Spec} spec
 * @param {import('../options').ClusterOptions} options
 * @param {import('../region').Names} names
 */
function describe({ file }, { spare, maxProcesses, signals, admin }, names) {
  const { pid, version: node } = process
  return {
    kind: 'cluster',
    version,
    node,
    pid,
    started: microseconds(),
    file,
    spare,
    maxProcesses,
    signals,
    admin: adminPath(admin),
    names
  }
}

module.exports = { Shared }
