'use strict'

const { JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'what rspool finds on this machine, and what to do about it',
  details:
    'Run it where the application runs: in the same container, as the same user. It ends with 1 when something is wrong.',
  options: JSON_OPTION,
  run({ values }) {
    const { examine } = require('../examine')
    const { paint, json } = require('../output')
    const { EXIT } = require('../failure')
    const findings = examine()
    const bad = findings.some(({ verdict }) => verdict === 'wrong')
    if (values.json) {
      json(findings)
    } else {
      const width = Math.max(...findings.map(({ what }) => what.length))
      const signs = { fine: paint('green', 'fine '), note: paint('yellow', 'note '), wrong: paint('red', 'wrong') }
      for (const { what, verdict, found, advice } of findings) {
        console.log(`${signs[verdict]}  ${what.padEnd(width)}  ${found}`)
        if (advice !== undefined) console.log(`${' '.repeat(width + 9)}${paint('cyan', advice)}`)
      }
    }
    return bad ? EXIT.failed : EXIT.ok
  }
}
