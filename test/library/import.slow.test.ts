import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { findLoadedPackages } from '../support/loaded-packages.ts'
import { startService } from '../support/run-cli.ts'

const library = new URL('../../dist/index.js', import.meta.url)

/** Runs a module with the built library, and lists the packages in the module log of Node. */
function run(code: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: fileURLToPath(new URL('.', library)),
    env: { PATH: process.env['PATH'], NODE_DEBUG: 'esm,module' },
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
  return { status, stdout, packages: findLoadedPackages(stderr) }
}

it('importing the library and creating a client opens no handles and loads few packages', () => {
  const { status, stdout, packages } = run(`
    const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)])
    const before = JSON.stringify(listeners())
    const { createClient, loadPrompt, summarizeAll } = await import(${JSON.stringify(library.href)})
    const client = createClient({ rpm: 60 })
    summarizeAll(['a text'], { client })
    const handles = () => process.getActiveResourcesInfo().filter((name) => !/^Pipe|^TTY/.test(name))
    // Handles of the module loader close within a few turns of the event loop.
    for (let turns = 0; turns < 1000 && handles().length > 0; turns++) await new Promise(setImmediate)
    console.log(JSON.stringify({
      exports: [typeof createClient, typeof loadPrompt, typeof summarizeAll],
      handles: handles(),
      listens: JSON.stringify(listeners()) !== before,
    }))`)
  expect(JSON.parse(stdout)).toEqual({
    exports: ['function', 'function', 'function'],
    handles: [],
    listens: false,
  })
  expect(status).toBe(0)
  expect(packages).toEqual(['is-network-error', 'p-retry'])
})

it('no module of the library uses its own path, because a bundler changes that path', async () => {
  const seen = new Set([library.href])
  for (const url of seen) {
    const code = await readFile(new URL(url), 'utf8')
    for (const [, path = ''] of code.matchAll(/(?:from |import\()"(\.[^"]+)"/g))
      seen.add(new URL(path, url).href)
    expect([url, /\bimport\.meta\b|\bcreateRequire\b/.test(code)]).toEqual([url, false])
  }
  const names = [...seen].map((url) => url.replace(/.*\//, ''))
  expect(names).toContain('proxy-agent.js')
  expect(names).not.toContain('assets.js')
})

it('an error that an application does not catch is printed with one short line of code, and with names', () => {
  const code = `await (await import(${JSON.stringify(library.href)})).loadPrompt('nothing')`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
  })
  // Node prints the whole line that throws. Without line breaks, that would be a whole module.
  expect(stderr.length).toBeLessThan(2000)
  expect(stderr).toMatch(/ {4}at [\w.]*loadPrompt \(file:.+\/dist\/[\w-]+\.js:\d{2,}:\d+\)/)
})

it('a client that is not closed does not keep the process alive', async () => {
  const { env } = await startService({})
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `
    const { createClient } = await import(${JSON.stringify(library.href)})
    await createClient().complete('Are you there?')
    const handles = () => process.getActiveResourcesInfo().filter((name) => !/^Pipe|^TTY/.test(name))
    for (let turns = 0; turns < 1000 && handles().length > 0; turns++) await new Promise(setImmediate)
    console.log(JSON.stringify(handles()))`,
    ],
    { env },
  )
  // Node does not wait for the idle connection, which stays open for four seconds.
  expect(stdout).toBe('[]\n')
})
