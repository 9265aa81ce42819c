// Which specs run: those of the package itself, or those of a folder that need more (servers, other tools), which
// RSPOOL_SPECS names.
export default () => {
  const folder = process.env.RSPOOL_SPECS
  return {
    files: folder ? [`__test__/${folder}/*.spec.{js,mjs,cjs}`] : ['__test__/*.spec.{js,mjs,cjs}'],
    workerThreads: false,
    concurrency: 2,
    // Without any test that ends meanwhile. Other tools take their time on a busy machine.
    timeout: folder ? '10m' : '2m'
  }
}
