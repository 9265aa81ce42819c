'use strict'

// The bill of materials of a package, as CycloneDX 1.6: the crates in the addon of each target.

const { linkedCrates } = require('./crates')
const { version, license } = require('../../package.json')

/** @param {string | null} expression */
function licences(expression) {
  return expression === null ? {} : { licenses: [{ expression: expression.replaceAll('/', ' OR ') }] }
}

/** @param {string} packageName @param {string[]} targets as Rust names them */
function sbom(packageName, targets) {
  const crates = new Map(targets.flatMap(linkedCrates).map((crate) => [`${crate.name}@${crate.version}`, crate]))
  const ref = `pkg:npm/${packageName}@${version}`
  const components = [...crates].map(([id, { name, version, license, checksum }]) => ({
    type: 'library',
    'bom-ref': `pkg:cargo/${id}`,
    name,
    version,
    purl: `pkg:cargo/${id}`,
    ...licences(license),
    ...(checksum && { hashes: [{ alg: 'SHA-256', content: checksum }] })
  }))
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'library',
        'bom-ref': ref,
        name: packageName,
        version,
        purl: ref,
        ...licences(license)
      }
    },
    components,
    dependencies: [{ ref, dependsOn: components.map(({ purl }) => purl) }]
  }
}

module.exports = { sbom }
