'use strict'

// Which glibc an addon needs, read from its table of needed versions (.gnu.version_r).

const VERNEED = 0x6ffffffe

/**
 * The highest version `GLIBC_<n>` that a 64-bit ELF file needs. Undefined for a file of another kind, and for a file that
 * needs no glibc.
 * @param {Buffer} bytes
 */
function glibcFloor(bytes) {
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2) return undefined
  const sections = sectionsOf(bytes)
  const need = sections.find(({ type }) => type === VERNEED)
  if (need === undefined) return undefined
  const names = sections[need.link]
  const versions = []
  for (let file = need.offset, more = need.info; more > 0; more--) {
    // struct Elf64_Verneed: version, count, file, first of its versions, next file.
    let at = file + bytes.readUInt32LE(file + 8)
    for (let count = bytes.readUInt16LE(file + 2); count > 0; count--) {
      // struct Elf64_Vernaux: hash, flags, other, name, next.
      const name = names.offset + bytes.readUInt32LE(at + 8)
      const found = /^GLIBC_([\d.]+)$/.exec(bytes.toString('latin1', name, bytes.indexOf(0, name)))
      if (found !== null) versions.push(found[1])
      at += bytes.readUInt32LE(at + 12)
    }
    file += bytes.readUInt32LE(file + 12)
  }
  return versions.sort(compareVersions).at(-1)
}

/** @param {Buffer} bytes */
function sectionsOf(bytes) {
  const start = Number(bytes.readBigUInt64LE(0x28))
  const [size, count] = [bytes.readUInt16LE(0x3a), bytes.readUInt16LE(0x3c)]
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * size
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 0x18)),
      link: bytes.readUInt32LE(at + 0x28),
      info: bytes.readUInt32LE(at + 0x2c)
    }
  })
}

/** @param {string} a @param {string} b */
function compareVersions(a, b) {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  const i = left.findIndex((n, at) => n !== (right[at] ?? 0))
  return i < 0 ? left.length - right.length : left[i] - (right[i] ?? 0)
}

module.exports = { glibcFloor, compareVersions }
