#!/usr/bin/env node
// Avoids new syntax, so that an old Node prints the required version instead of a syntax error.
var needed = [20, 19]
var version = process.versions.node.split('.').map(Number)
// Exit code 70 is a bug: if the event loop runs empty before the program ends, the exit must not look like success.
process.exitCode = 70
if (version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1])) {
  process.stderr.write(
    `claude-batch needs Node ${needed.join('.')} or later; this is ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else {
  const args = process.argv.slice(2)
  const run = () => {
    // Node 22.8 and later cache compiled code for the next start.
    const { enableCompileCache } = process.getBuiltinModule('node:module')
    if (enableCompileCache) enableCompileCache()
    return import('../dist/main.js').then(({ start }) => start())
  }
  const printOrRun = ({ printFixedText }) => {
    if (!printFixedText(args, () => process.stdout.columns)) return run()
    process.exitCode = 0
  }
  const ended = args.length === 1 ? import('../dist/fixed-text.js').then(printOrRun) : run()
  ended.catch((error) => {
    var tooFew = error.code === 'EMFILE' || error.code === 'ENFILE'
    process.stderr.write(
      `claude-batch: ${tooFew ? 'the limit on open files is too low; raise it with ulimit -n' : error.stack}\n`,
    )
    process.exitCode = tooFew ? 6 : 70
  })
}
