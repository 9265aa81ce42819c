'use strict'

module.exports = async ({ counters }) => {
  counters.add('requests')
}
