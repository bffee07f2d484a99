// Runs the whole test suite under each supported Node version, from the `node` package of the npm registry.
//   node scripts/test-on-node-versions.js [20 22 24 26]
import { spawnSync } from 'node:child_process'

const wanted = process.argv.slice(2)
const versions = wanted.length > 0 ? wanted : ['20', '22', '24', '26']
const failed = versions.filter((version) => {
  console.log(`\n== Node ${version}`)
  const suite = ['node', 'node_modules/vitest/vitest.mjs', 'run']
  return spawnSync('npx', ['--yes', '-p', `node@${version}`, ...suite], { stdio: 'inherit' }).status !== 0
})
if (failed.length > 0) {
  console.error(`failed under Node ${failed.join(', ')}`)
  process.exitCode = 1
}
