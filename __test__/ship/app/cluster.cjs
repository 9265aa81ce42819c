const { isPrimary } = require('node:cluster')
const { cluster, runTask } = require('rspool')

const own = cluster.run(
  async ({ counters }) => {
    counters.add('sum', await runTask('math.countPrimes', 10))
  },
  { processes: 2, counters: ['sum'] }
)

async function look() {
  await own.ready
  if (own.counters.get('sum') !== 8) throw new Error(`the processes counted ${own.counters.get('sum')}`)
  await own.stop()
  console.log('the cluster is fine')
}

if (isPrimary) look()
