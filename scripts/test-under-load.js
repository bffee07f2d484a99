// Runs `npm test` next to busy loops, to check that the tests do not depend on the load of the machine.
// Usage: node scripts/test-under-load.js [loops, default 4]
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const loops = Number(process.argv[2] ?? 4)
const busy = Array.from({ length: loops }, () =>
  // The loop ends with its parent process, also if this script is killed.
  spawn(process.execPath, ['-e', 'const { ppid } = process; while (process.ppid === ppid);'], {
    stdio: 'ignore',
  }),
)
const start = performance.now()
const [code] = await once(spawn('npm', ['test'], { stdio: 'inherit' }), 'close')
for (const loop of busy) loop.kill()
const seconds = ((performance.now() - start) / 1000).toFixed(0)
console.log(`npm test next to ${loops} busy loops: exit code ${code} after ${seconds} s`)
process.exitCode = code ?? 1
