import * as rspool from './index.js'

export * from './index.js'
export default rspool
