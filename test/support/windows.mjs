/**
 * Makes a program on Linux see what it would see on Windows, as far as Node.js passes it on: `path.win32`, drives,
 * `process.platform`, and the rules of its file systems. Node loads this module before the program:
 *
 *     WINDOWS='{"busy":3}' node --import ./windows.mjs program.js
 *
 * Drive C is the root of the file system, drive D and the network shares are folders next to the working directory.
 * Modelled, from libuv's `win/fs.c`:
 *
 * - Names ignore case. A name with a reserved character, of a device, or with a dot or space at its end does not exist.
 * - A file that is open cannot be replaced. If it is removed, its name is free again only when it is closed.
 * - A file that was opened for appending cannot be truncated, and a folder cannot be synced.
 * - Batch files cannot be executed, and a process that sends itself a signal ends with exit code 1.
 *
 * `windows.d.mts` describes the settings. This shows that the program works with these rules, not that it works on
 * Windows.
 */
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import url from 'node:url'

const { busy = 0, hasLinks = true } = JSON.parse(process.env['WINDOWS'] ?? '{}')
const linux = { ...fs, promises: { ...fs.promises } }
const cwd = process.cwd()
const places = { D: path.join(cwd, '../D'), shares: path.join(cwd, '../shares') }

function fail(code, operation, name) {
  return Object.assign(new Error(`${code}: ${operation} '${name}'`), { code, syscall: operation, path: name })
}

/** Node's own modules call these functions, too, and must see Linux. */
function isCalledByNode() {
  return /\(?node:/.test(new Error().stack.split('\n')[3] ?? '')
}

// Paths

/** Returns the Windows path of a file. */
function toWindows(file) {
  if (typeof file !== 'string') return file
  const [drive, rest] = file.startsWith(`${places.D}/`)
    ? ['D:', file.slice(places.D.length)]
    : file.startsWith(`${places.shares}/`)
      ? ['/', file.slice(places.shares.length)]
      : ['C:', file]
  return (drive + rest).replaceAll('/', '\\')
}

/** Returns the file that a Windows path leads to, or throws the error of Windows. */
function toLinux(name, operation) {
  if (typeof name !== 'string') return name
  if (/^\\\\\.\\nul$/i.test(name)) return '/dev/null'
  if (name.startsWith('/') && !name.includes('\\')) return name
  const local = name.replace(/^\\\\\?\\(UNC\\)?/i, (_, share) => (share ? '\\\\' : ''))
  const [, drive = 'C', rest = ''] = /^(?:([a-z]):)?(.*)$/is.exec(local) ?? []
  const root = local.startsWith('\\\\') ? places.shares : { C: '', D: places.D }[drive.toUpperCase()]
  if (root === undefined) throw fail('ENOENT', operation, name)
  const parts = rest.split(/[\\/]/).filter((part) => part !== '')
  if (parts.some((part) => isForbidden(part)))
    throw fail(operation === 'mkdir' ? 'EINVAL' : 'ENOENT', operation, name)
  return findSpelling(`${root}/${parts.join('/')}`)
}

function isForbidden(part) {
  return /[<>:"|?*\x00-\x1f]|[ .]$/.test(part) || /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$/i.test(part)
}

/** Returns a path as the file system spells it, as far as it exists. */
function findSpelling(file) {
  if (linux.existsSync(file)) return file
  let found = ''
  for (const part of file.split('/').slice(1)) {
    const names = linux.existsSync(`${found}/${part}`) ? [] : listNames(found || '/')
    found += `/${names.find((name) => name.toLowerCase() === part.toLowerCase()) ?? part}`
  }
  return found
}

function listNames(folder) {
  try {
    return linux.readdirSync(folder)
  } catch {
    return []
  }
}

const { posix, win32 } = path
const linuxPath = { ...posix }
for (const [name, member] of Object.entries(win32)) {
  if (typeof member !== 'function' || /namespaced/i.test(name)) continue
  path[name] = (...args) => (isCalledByNode() ? linuxPath : win32)[name](...args)
}
Object.assign(path, { sep: '\\', delimiter: ';', posix: linuxPath })
const { fileURLToPath } = url
url.fileURLToPath = (...args) =>
  isCalledByNode() ? fileURLToPath(...args) : toWindows(fileURLToPath(...args))

// Files

/** The path and kind of each open file, by its handle. */
const handles = new Map()
/** The path of each file that was opened synchronously, by its descriptor. */
const descriptors = new Map()
const isOpen = (file) =>
  [...handles.values()].some((opened) => opened.file === file) || [...descriptors.values()].includes(file)
/** Removed files whose name is not free yet. */
const removed = new Set()
let renamesLeft = busy

const one =
  'access appendFile chmod lstat mkdir opendir readFile readdir rm rmdir stat statfs truncate utimes writeFile'
for (const name of one.split(' '))
  fs.promises[name] = async (file, ...rest) => linux.promises[name](toLinux(file, name), ...rest)
fs.promises.realpath = async (file) => toWindows(await linux.promises.realpath(toLinux(file, 'realpath')))
fs.promises.readlink = async (file) =>
  (await linux.promises.readlink(toLinux(file, 'readlink'))).replaceAll('/', '\\')
fs.promises.copyFile = async (from, to, mode) =>
  linux.promises.copyFile(toLinux(from, 'copyfile'), toLinux(to, 'copyfile'), mode)
fs.promises.link = async (from, to) => {
  if (!hasLinks) throw fail('EISDIR', 'link', to)
  return linux.promises.link(toLinux(from, 'link'), toLinux(to, 'link'))
}
fs.renameSync = (from, to) => {
  if (renamesLeft-- > 0) throw fail(['EPERM', 'EACCES', 'EBUSY'][renamesLeft % 3], 'rename', to)
  const target = toLinux(to, 'rename')
  if (isOpen(target)) throw fail('EPERM', 'rename', to)
  linux.renameSync(toLinux(from, 'rename'), target)
}
fs.promises.rename = async (from, to) => fs.renameSync(from, to)
fs.promises.unlink = async (name) => {
  const file = toLinux(name, 'unlink')
  await linux.promises.unlink(file)
  if (isOpen(file)) removed.add(file)
}
fs.promises.open = async (name, flags, mode) => {
  const file = toLinux(name, 'open')
  if (removed.has(file) && isOpen(file)) throw fail('EPERM', 'open', name)
  const handle = await linux.promises.open(file, flags, mode)
  const appends = /^a/.test(flags) || (flags & fs.constants.O_APPEND) !== 0
  handles.set(handle, { file })
  const { close, sync, truncate } = handle
  handle.close = () => {
    handles.delete(handle)
    return close.call(handle)
  }
  // A stream closes the handle by itself.
  handle.on('close', () => handles.delete(handle))
  handle.truncate = async (length) => {
    if (appends) throw fail('EPERM', 'ftruncate', name)
    return truncate.call(handle, length)
  }
  handle.sync = async () => {
    if ((await handle.stat()).isDirectory()) throw fail('EPERM', 'fsync', name)
    return sync.call(handle)
  }
  return handle
}

fs.openSync = (name, ...rest) => {
  const file = toLinux(name, 'open')
  if (removed.has(file) && isOpen(file)) throw fail('EPERM', 'open', name)
  const descriptor = linux.openSync(file, ...rest)
  descriptors.set(descriptor, file)
  return descriptor
}
fs.closeSync = (descriptor) => {
  descriptors.delete(descriptor)
  linux.closeSync(descriptor)
}

const synchronous = 'accessSync lstatSync mkdirSync readFileSync readdirSync statSync writeFileSync'
for (const name of synchronous.split(' '))
  fs[name] = (file, ...rest) => {
    try {
      return linux[name](toLinux(file, name), ...rest)
    } catch (error) {
      if (error.code === 'ENOENT' && rest[0]?.throwIfNoEntry === false) return undefined
      throw error
    }
  }
fs.existsSync = (file) => fs.statSync(file, { throwIfNoEntry: false }) !== undefined
const realpathSync = (file, ...rest) =>
  isCalledByNode()
    ? linux.realpathSync(file, ...rest)
    : toWindows(linux.realpathSync.native(toLinux(file, 'realpath')))
fs.realpathSync = Object.assign(realpathSync, { native: realpathSync })
const callback =
  (name, call, convert = (result) => result) =>
  (file, ...rest) => {
    const done = rest.pop()
    try {
      call(toLinux(file, name), ...rest, (error, result) => done(error, convert(result)))
    } catch (error) {
      process.nextTick(done, error)
    }
  }
for (const name of ['lstat', 'open', 'readdir', 'stat']) fs[name] = callback(name, linux[name])
fs.realpath = callback('realpath', linux.realpath.native, toWindows)

// Processes

const { execFile } = childProcess
childProcess.execFile = (file, args, options, done) => {
  if (/\.(?:bat|cmd)$/i.test(file)) throw fail('EINVAL', 'spawn', file)
  return execFile(file, args, { ...options, ...(options.cwd && { cwd: toLinux(options.cwd) }) }, done)
}
const kill = process.kill.bind(process)
process.kill = (pid, signal) => {
  if (signal === 0) return kill(pid, 0)
  if (signal === 'SIGHUP') throw fail('ENOSYS', 'kill', pid)
  process.exit(1)
}
// `win32.resolve` needs the Windows path.
process.cwd = () => (/\(?node:(?!path)/.test(new Error().stack.split('\n')[2] ?? '') ? cwd : toWindows(cwd))
process.getuid = undefined
Object.defineProperty(process, 'platform', { value: 'win32' })

syncBuiltinESMExports()
