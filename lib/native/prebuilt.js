'use strict'

// The prebuilt addons, each in a package of its own. One literal `require` per package lets tracers and bundlers see
// the package that is installed. Inside of `try`, a package that is not installed is no error to them.

/** The platforms that have a package, by the names that npm and the loader use. */
const PREBUILT = Object.freeze([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-arm64-msvc',
  'win32-x64-msvc'
])

/**
 * The addon of a platform's package, or the error of loading it.
 * @param {string} tuple
 * @returns {{ addon?: unknown, error?: unknown }}
 */
function prebuilt(tuple) {
  try {
    switch (tuple) {
      case 'darwin-arm64':
        return { addon: require('rspool-darwin-arm64') }
      case 'darwin-x64':
        return { addon: require('rspool-darwin-x64') }
      case 'linux-arm64-gnu':
        return { addon: require('rspool-linux-arm64-gnu') }
      case 'linux-arm64-musl':
        return { addon: require('rspool-linux-arm64-musl') }
      case 'linux-x64-gnu':
        return { addon: require('rspool-linux-x64-gnu') }
      case 'linux-x64-musl':
        return { addon: require('rspool-linux-x64-musl') }
      case 'win32-arm64-msvc':
        return { addon: require('rspool-win32-arm64-msvc') }
      case 'win32-x64-msvc':
        return { addon: require('rspool-win32-x64-msvc') }
    }
  } catch (error) {
    return { error }
  }
  return { error: new Error('no package is published for this platform') }
}

module.exports = { PREBUILT, prebuilt }
