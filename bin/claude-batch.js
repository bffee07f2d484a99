#!/usr/bin/env node
// Written so that an old Node can read it and say what is missing, instead of failing on syntax.
var needed = [20, 19]
var version = process.versions.node.split('.').map(Number)
// Whatever ends the process without saying how is a bug: an event loop that ran empty must not look like success.
process.exitCode = 70
if (version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1])) {
  process.stderr.write(
    `claude-batch needs Node ${needed.join('.')} or later; this is ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else {
  import('node:module')
    .then(({ enableCompileCache }) => {
      // Node 22.8 and later keep what they compiled for the next start.
      if (enableCompileCache) enableCompileCache()
      return Promise.all([import('../dist/main.js'), import('../dist/runtime.js')])
    })
    .then(([{ main }, { createProcessRuntime, exitProcess, reportCrashes }]) => {
      var over = reportCrashes()
      return main(createProcessRuntime()).then((exit) => {
        over()
        exitProcess(exit)
      })
    })
    .catch((error) => {
      var tooFew = error.code === 'EMFILE' || error.code === 'ENFILE'
      process.stderr.write(
        `claude-batch: ${tooFew ? 'too few files can be opened; raise ulimit -n' : error.stack}\n`,
      )
      process.exitCode = tooFew ? 6 : 70
    })
}
