'use strict'

const OPTION_OF_A_LOADER =
  /(^|\s)(-r|--require|--import|--loader|--experimental-(loader|strip-types|transform-types))\b/

/** Whether this process was started with an option that may add a loader. */
function mayHaveLoader() {
  return OPTION_OF_A_LOADER.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))
}

module.exports = { mayHaveLoader }
