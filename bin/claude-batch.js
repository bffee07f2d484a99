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
  var bug = 'claude-batch: this is a bug, please report it: '
  var done = false
  process.on('uncaughtException', (error) => {
    // What is written is whole and recorded; nothing here could make it more so.
    process.stderr.write(`${bug}${(error && error.stack) || error}\n`, () => {
      process.exit(70)
    })
  })
  process.on('beforeExit', () => {
    if (!done) process.stderr.write(`${bug}it ended with work still to do\n`)
    done = true
  })
  Promise.all([import('../dist/main.js'), import('../dist/world.js')]).then(
    ([{ main }, { leave, realWorld }]) =>
      main(realWorld()).then((exit) => {
        done = true
        leave(exit)
      }),
  )
}
