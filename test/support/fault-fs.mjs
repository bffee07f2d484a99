/**
 * Makes file-system operations of a program fail, and logs them. Node loads this module before the program:
 *
 *     FAULT_FS='{"do":"ENOSPC","op":"write","path":"b\\.md"}' node --import ./fault-fs.mjs program.js
 *
 * `fault-fs.d.mts` describes the fields of the plan.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { devNull } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const { appendFileSync, writeSync } = fs
let plan, operation, path, seen

/** The paths of open files, by their handles and by their descriptors. */
const [handles, descriptors] = [new Map(), new Map()]

/** Replaces the plan and restarts the count. An empty plan lets every operation pass. */
export function injectFaults(next) {
  // The end of a process would close its files, too.
  for (const handle of handles.keys()) handle.close().catch(() => {})
  plan = next
  operation = new RegExp(`^(?:${plan.op ?? '.*'})$`)
  path = new RegExp(plan.path ?? '')
  seen = 0
}
injectFaults(JSON.parse(process.env['FAULT_FS'] ?? '{}'))

/** Checks an operation that begins. @returns undefined if the plan does not match it */
function judge(name, ...paths) {
  const full = paths.map((one) => resolve(String(one)))
  if (!operation.test(name) || !full.some((one) => path.test(one))) return undefined
  seen++
  const text = [name, ...full].join(' ')
  const { log, at = 1, times = 1, do: code } = plan
  if (log !== undefined) appendFileSync(log, `begin ${text}\n`)
  const hit = code !== undefined && seen >= at && seen < at + times
  return {
    error: hit ? Object.assign(new Error(`${code}: injected, ${text}`), { code, syscall: name }) : undefined,
    end: () => log !== undefined && appendFileSync(log, `end ${text}\n`),
  }
}

function strike(error) {
  if (plan.do === 'kill') process.kill(process.pid, 'SIGKILL')
  throw error
}

async function through(judgement, work) {
  if (judgement !== undefined && plan.slowMs !== undefined) await delay(plan.slowMs)
  if (judgement?.error !== undefined) strike(judgement.error)
  const result = await work()
  judgement?.end()
  return result
}

const twoPaths = new Set(['rename', 'link', 'symlink', 'copyFile'])
const byPath =
  'access appendFile chmod copyFile link lstat mkdir mkdtemp open opendir readFile readdir readlink realpath rename rm rmdir stat symlink truncate unlink utimes writeFile'
for (const name of byPath.split(' ')) {
  const original = fs.promises[name]
  fs.promises[name] = async (...args) => {
    const judgement = judge(name, ...args.slice(0, twoPaths.has(name) ? 2 : 1))
    const result = await through(judgement, () => original(...args))
    if (name === 'open') watch(result, args[0])
    return result
  }
}

/** Replaces the `close` of a handle, which is not on the prototype. */
function watch(handle, file) {
  handles.set(handle, file)
  const { fd } = handle
  descriptors.set(fd, file)
  const close = handle.close.bind(handle)
  handle.close = async () => {
    // The file is closed even if `close` fails, as with close(2).
    handles.delete(handle)
    descriptors.delete(fd)
    await close()
    await through(judge('close', file), async () => {})
  }
}

const byHandle = {
  appendFile: 'write',
  datasync: 'sync',
  read: 'read',
  readFile: 'read',
  stat: 'stat',
  sync: 'sync',
  truncate: 'truncate',
  write: 'write',
  writeFile: 'write',
}
const sample = await fs.promises.open(devNull)
const prototype = Object.getPrototypeOf(sample)
await sample.close()
for (const [name, called] of Object.entries(byHandle)) {
  const original = prototype[name]
  prototype[name] = function (...args) {
    const judgement = handles.has(this) ? judge(called, handles.get(this)) : undefined
    if (judgement?.error !== undefined && plan.short && called === 'write') {
      const bytes = Buffer.from(args[0])
      writeSync(this.fd, bytes.subarray(0, bytes.length >> 1))
    }
    return through(judgement, () => original.apply(this, args))
  }
}

/** Lets a synchronous operation through, or fails it. */
function throughSync(judgement, work, beforeFailure = () => {}) {
  if (judgement?.error !== undefined) {
    beforeFailure()
    strike(judgement.error)
  }
  const result = work()
  judgement?.end()
  return result
}

for (const name of ['lstat', 'stat', 'rename', 'unlink']) {
  const original = fs[`${name}Sync`]
  fs[`${name}Sync`] = (...args) =>
    throughSync(judge(name, ...args.slice(0, twoPaths.has(name) ? 2 : 1)), () => original(...args))
}

const { closeSync, openSync } = fs
fs.openSync = (file, ...args) =>
  throughSync(judge('open', file), () => {
    const descriptor = openSync(file, ...args)
    descriptors.set(descriptor, file)
    return descriptor
  })
fs.closeSync = (descriptor) => {
  const file = descriptors.get(descriptor)
  // The file is closed even if `close` fails, as with close(2).
  descriptors.delete(descriptor)
  closeSync(descriptor)
  if (file !== undefined) throughSync(judge('close', file), () => {})
}
for (const [name, called] of Object.entries({
  write: 'write',
  read: 'read',
  fstat: 'stat',
  ftruncate: 'truncate',
})) {
  const original = fs[`${name}Sync`]
  fs[`${name}Sync`] = (descriptor, ...args) => {
    const file = descriptors.get(descriptor)
    const judgement = file === undefined ? undefined : judge(called, file)
    const writeHalf = () => {
      if (!plan.short || called !== 'write') return
      const bytes = Buffer.from(args[0])
      writeSync(descriptor, bytes.subarray(0, bytes.length >> 1))
    }
    return throughSync(judgement, () => original(descriptor, ...args), writeHalf)
  }
}

// Streams use these functions, and the program itself to sync files.
const byCallback = {
  open: 'open',
  read: 'read',
  write: 'write',
  writev: 'write',
  fsync: 'sync',
  fdatasync: 'sync',
  close: 'close',
}
for (const [name, called] of Object.entries(byCallback)) {
  const original = fs[name]
  fs[name] = (first, ...args) => {
    const callback = args.pop()
    const file = name === 'open' ? first : descriptors.get(first)
    const judgement = file === undefined ? undefined : judge(called, file)
    const { error } = judgement ?? {}
    if (error !== undefined && plan.do === 'kill') strike(error)
    if (error !== undefined) return process.nextTick(callback, error)
    const work = () =>
      original(first, ...args, (failure, ...results) => {
        if (name === 'open' && !failure) descriptors.set(results[0], first)
        if (name === 'close') descriptors.delete(first)
        judgement?.end()
        callback(failure, ...results)
      })
    if (judgement !== undefined && plan.slowMs !== undefined) setTimeout(work, plan.slowMs)
    else work()
  }
}

syncBuiltinESMExports()
