'use strict'

const { JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'every cluster of this user on this machine',
  options: JSON_OPTION,
  run({ values }) {
    const { findClusters } = require('../clusters')
    const { Viewer } = require('../view')
    const { table, paintState, time, json } = require('../output')
    const { EXIT } = require('../failure')
    const { clusters, refused } = findClusters()
    const views = clusters.map((cluster) => new Viewer(cluster).look())
    if (values.json) {
      json({ clusters: views.map(brief), refused })
    } else {
      const rows = views.map((view) => {
        const { pid, state, ready, size, uptimeMs, version, node, file, primary } = view
        return [
          String(pid),
          paintState(primary.responsive ? state : 'unresponsive'),
          `${ready}/${size}`,
          time(uptimeMs),
          version,
          node,
          file
        ]
      })
      if (rows.length > 0) console.log(table(['>PID', 'STATE', '>READY', '>UPTIME', 'RSPOOL', 'NODE', 'FILE'], rows))
      for (const { pid, why } of refused) console.error(`process ${pid}: ${why}`)
      if (rows.length === 0 && refused.length === 0) console.error('rspool: you run no cluster on this machine')
    }
    return views.length === 0 ? EXIT.none : EXIT.ok
  }
}

/** @param {import('../view').ClusterView} view */
function brief({ pid, state, size, ready, uptimeMs, version, node, file, primary }) {
  return { pid, state, size, ready, uptimeMs, version, node, file, primary }
}
