'use strict'

// Checks that every public type, function and member has a docstring. Names those that have none, and then fails.

const fs = require('node:fs')
const path = require('node:path')
const ts = require('typescript')
const { root } = require('./setup')

/** Declarations of interfaces that other packages define and document: piscina's, and those of stores. */
const FOREIGN = new Set(['piscina.d.ts'])

/** The declarations that the package publishes. */
function published() {
  const folders = ['.', 'types', 'types/cluster', 'lib/socket.io']
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder))
      .filter((file) => file.endsWith('.d.ts') && !FOREIGN.has(file))
      .map((file) => path.join(root, folder, file))
  )
}

/** @param {ts.Node} node */
function isDeclaration(node) {
  return (
    ts.isInterfaceDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    (ts.isVariableStatement(node) && !/: unique symbol$/.test(node.declarationList.getText())) ||
    ts.isEnumDeclaration(node)
  )
}

/** @param {ts.Node} node */
function isMember(node) {
  const { parent } = node
  if (parent === undefined) return false
  const owned =
    ts.isInterfaceDeclaration(parent) ||
    ts.isClassDeclaration(parent) ||
    (ts.isTypeLiteralNode(parent) && ts.isTypeAliasDeclaration(parent.parent))
  if (!owned || !(ts.isTypeElement(node) || ts.isClassElement(node)) || node.name === undefined) return false
  // A symbol, or `Int8Array: Int8Array`.
  return (
    !ts.isComputedPropertyName(node.name) && /** @type {ts.PropertySignature} */ (node).type?.getText() !== nameOf(node)
  )
}

/** @param {ts.Node} node */
function nameOf(node) {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText()).join()
  return /** @type {ts.NamedDeclaration} */ (node).name?.getText() ?? ''
}

/** The declarations without a docstring. @param {string} file @returns {string[]} */
function undocumented(file) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  /** @type {string[]} */
  const missing = []
  /** The overloads of one function share a docstring. @type {Set<string>} */
  const documented = new Set()
  /** @param {ts.Node} node @param {string} owner */
  const visit = (node, owner) => {
    let place = owner
    if (isDeclaration(node) || isMember(node)) {
      place = `${owner}${owner && '.'}${nameOf(node)}`
      const flags = ts.getCombinedModifierFlags(/** @type {ts.Declaration} */ (/** @type {unknown} */ (node)))
      const hidden = (flags & ts.ModifierFlags.Private) !== 0
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      if (ts.getJSDocCommentsAndTags(node).length > 0) documented.add(place)
      else if (!hidden && !documented.has(place)) missing.push(`${path.relative(root, file)}:${line + 1}: ${place}`)
    }
    ts.forEachChild(node, (child) => visit(child, place))
  }
  visit(source, '')
  return missing
}

if (require.main === module) {
  const missing = published().flatMap(undocumented)
  for (const each of missing) console.error(`${each} has no docstring`)
  process.exit(missing.length > 0 ? 1 : 0)
}

module.exports = { undocumented }
