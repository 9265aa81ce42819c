// Which specs run: those of the package itself, or those of a folder that need more (servers, other tools), which
// RSPOOL_SPECS names. Of `packages/` each package has its own.
export default () => {
  const folder = process.env.RSPOOL_SPECS
  const specs = folder === 'packages' ? 'packages/*/test' : `__test__${folder ? `/${folder}` : ''}`
  return {
    files: [`${specs}/*.spec.{js,mjs,cjs}`],
    workerThreads: false,
    concurrency: 2,
    // Without any test that ends meanwhile. Other tools take their time on a busy machine.
    timeout: folder ? '10m' : '2m'
  }
}
