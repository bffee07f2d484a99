/**
 * Records what a program does with the files below a folder, and returns what a power loss at any moment may leave of
 * them. In the same process, `recordDisk` starts a recording. For another process, Node loads this module first:
 *
 *     DISK_LOG='{"root":"/tmp/x","log":"/tmp/events"}' node --import ./power-loss.mjs program.js
 *
 * The model of a disk: only what was synced is certain.
 *
 * - `fsync` of a file keeps its content, but not its name. `fsync` of a folder keeps the names in it.
 * - Writes that were not synced are lost, cut off, complete, or zeros, for each file separately. Later ones can be kept
 *   without earlier ones.
 * - Names that were created, renamed or removed without a sync of their folder are kept in the order of the operations
 *   up to some point, or each by chance. A rename is atomic.
 * - An operation that has not returned yet may have happened.
 *
 * Times of files are whole seconds, so that two versions of a file often have the same time.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, join, resolve, sep } from 'node:path'

const real = { ...fs, promises: { ...fs.promises } }

/** The recording in progress: its folder, and the function that takes its events. */
let active
let lastId = 0
/** The open files: their ids, by file handle or descriptor. */
const [handles, descriptors] = [new WeakMap(), new Map()]

/** Starts a recording. Only one can be in progress. The files that exist are safe on the disk. */
export function recordDisk(root) {
  const events = []
  const initial = readTree(root)
  active = { root: `${resolve(root)}${sep}`, add: (event) => events.push(event) }
  return {
    initial,
    events,
    mark: (text) => events.push({ mark: text }),
    stop() {
      active = undefined
    },
  }
}

/** Reads the log of another process, up to its last complete line. @param initial the tree before the process started */
export function readDiskLog(log, initial) {
  const lines = real.readFileSync(log, 'utf8').split('\n').slice(0, -1)
  return { initial, events: lines.map((line) => decode(JSON.parse(line))) }
}

if (process.env['DISK_LOG'] !== undefined) {
  const { root, log } = JSON.parse(process.env['DISK_LOG'])
  const fd = real.openSync(log, 'a')
  active = {
    root: `${resolve(root)}${sep}`,
    add: (event) => real.writeSync(fd, `${JSON.stringify(encode(event))}\n`),
  }
}

function encode(event) {
  return event.bytes === undefined ? event : { ...event, bytes: event.bytes.toString('base64') }
}

function decode(event) {
  return event.bytes === undefined ? event : { ...event, bytes: Buffer.from(event.bytes, 'base64') }
}

// Recording

function toRelative(path) {
  if (active === undefined || path === undefined) return undefined
  const full = resolve(String(path))
  if (`${full}${sep}` === active.root) return ''
  return full.startsWith(active.root) ? full.slice(active.root.length) : undefined
}

/** Records that an operation begins. @returns its id; undefined if it is not recorded */
function begin(operation) {
  if (active === undefined) return undefined
  const id = ++lastId
  active.add({ begin: id, ...operation })
  return id
}

function end(id, failed = false) {
  if (id !== undefined) active?.add({ end: id, failed })
}

/** Runs an operation. @param onDone called with the result and the id of the operation */
async function during(operation, work, onDone = () => {}) {
  const id = operation && begin(operation)
  try {
    const result = await work()
    onDone(result, id)
    end(id)
    return result
  } catch (error) {
    end(id, true)
    throw error
  }
}

function duringSync(operation, work, onDone = () => {}) {
  const id = operation && begin(operation)
  try {
    const result = work()
    onDone(result, id)
    end(id)
    return result
  } catch (error) {
    end(id, true)
    throw error
  }
}

/** Describes an operation on one or two paths; undefined if they are outside the folder. */
function onPaths(op, first, second) {
  const path = toRelative(first)
  if (path === undefined) return undefined
  return second === undefined ? { op, path } : { op, path, to: toRelative(second) }
}

const { O_CREAT, O_TRUNC, O_APPEND } = fs.constants
const flagsByName = { a: O_CREAT | O_APPEND, w: O_CREAT | O_TRUNC, r: 0 }

function onOpen(path, flags = 'r') {
  const bits = typeof flags === 'number' ? flags : flagsByName[flags[0]]
  return (
    onPaths('open', path) && {
      ...onPaths('open', path),
      creates: (bits & O_CREAT) !== 0,
      truncates: (bits & O_TRUNC) !== 0,
      appends: (bits & O_APPEND) !== 0,
    }
  )
}

function onFile(op, file, fields = {}) {
  return file === undefined || active === undefined ? undefined : { op, file, ...fields }
}

/** Sets the time of a file to whole seconds. */
function truncateTime(fd) {
  const seconds = Math.floor(Date.now() / 1000)
  real.futimesSync(fd, seconds, seconds)
}

for (const name of ['mkdir', 'unlink', 'rmdir', 'rename', 'link', 'copyFile']) {
  const hasTwo = ['rename', 'link', 'copyFile'].includes(name)
  const describe = (args) => onPaths(name, args[0], hasTwo ? args[1] : undefined)
  fs.promises[name] = (...args) => during(describe(args), () => real.promises[name](...args))
  fs[`${name}Sync`] = (...args) => duringSync(describe(args), () => real[`${name}Sync`](...args))
}

fs.promises.open = (path, flags, mode) =>
  during(
    onOpen(path, flags),
    () => real.promises.open(path, flags, mode),
    (handle, id) => {
      if (id === undefined) return descriptors.delete(handle.fd)
      handles.set(handle, id)
      descriptors.set(handle.fd, id)
    },
  )
fs.openSync = (path, flags, mode) =>
  duringSync(
    onOpen(path, flags),
    () => real.openSync(path, flags, mode),
    (fd, id) => (id === undefined ? descriptors.delete(fd) : descriptors.set(fd, id)),
  )
fs.closeSync = (fd) => {
  descriptors.delete(fd)
  real.closeSync(fd)
}

const sample = await real.promises.open(new URL(import.meta.url))
const prototype = Object.getPrototypeOf(sample)
await sample.close()
const toBytes = (data) =>
  typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
for (const name of ['write', 'writeFile', 'appendFile']) {
  const original = prototype[name]
  prototype[name] = async function (data, ...rest) {
    const file = handles.get(this)
    const write = () => original.call(this, data, ...rest)
    if (file === undefined || active === undefined) return write()
    if (name === 'write' && rest.length > 0) throw new Error('the recorder knows no write with a position')
    return during(
      { op: 'write', file, bytes: Buffer.from(toBytes(data)), time: Math.floor(Date.now() / 1000) },
      async () => {
        const result = await write()
        truncateTime(this.fd)
        return result
      },
    )
  }
}
for (const [name, op] of Object.entries({ sync: 'sync', datasync: 'sync', truncate: 'truncate' })) {
  const original = prototype[name]
  prototype[name] = function (...args) {
    return during(onFile(op, handles.get(this), op === 'truncate' ? { length: args[0] ?? 0 } : {}), () =>
      original.apply(this, args),
    )
  }
}

fs.writeSync = (fd, data, ...rest) => {
  const file = descriptors.get(fd)
  if (file === undefined || active === undefined) return real.writeSync(fd, data, ...rest)
  if (rest.length > 0 && typeof data !== 'string')
    throw new Error('the recorder knows no write with a position')
  return duringSync(
    { op: 'write', file, bytes: Buffer.from(toBytes(data)), time: Math.floor(Date.now() / 1000) },
    () => {
      const length = real.writeSync(fd, data, ...rest)
      truncateTime(fd)
      return length
    },
  )
}
for (const name of ['fsync', 'fdatasync']) {
  fs[`${name}Sync`] = (fd) => duringSync(onFile('sync', descriptors.get(fd)), () => real[`${name}Sync`](fd))
  fs[name] = (fd, done) => {
    const operation = onFile('sync', descriptors.get(fd))
    const id = operation && begin(operation)
    real[name](fd, (error) => {
      end(id, error !== null)
      done(error)
    })
  }
}
fs.ftruncateSync = (fd, length = 0) =>
  duringSync(onFile('truncate', descriptors.get(fd), { length }), () => real.ftruncateSync(fd, length))

syncBuiltinESMExports()

// The disk

/** Reads a folder. @returns its files and folders, by relative path */
export function readTree(folder, prefix = '') {
  const tree = new Map()
  for (const entry of real.readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) {
      tree.set(path, undefined)
      for (const [name, file] of readTree(folder, path)) tree.set(name, file)
    } else {
      const { mtimeMs } = real.statSync(join(folder, path))
      tree.set(path, { bytes: real.readFileSync(join(folder, path)), time: Math.floor(mtimeMs / 1000) })
    }
  }
  return tree
}

/** Writes a tree into an empty folder. */
export function writeTree(tree, folder) {
  for (const [path, file] of tree) {
    if (file === undefined) {
      real.mkdirSync(join(folder, path), { recursive: true })
      continue
    }
    real.mkdirSync(dirname(join(folder, path)), { recursive: true })
    real.writeFileSync(join(folder, path), file.bytes)
    real.utimesSync(join(folder, path), file.time, file.time)
  }
}

/**
 * Returns the disk after the first `count` events: the files as the program sees them, and what is certain.
 * @returns `current()`: the tree without a power loss; `marks()`; `afterPowerLoss(random)`: one that a power loss may
 *   leave
 */
export function replay({ initial, events }, count = events.length) {
  const disk = createDisk(initial)
  /** Operations in progress, by id. */
  const open = new Map()
  const applied = new Set()
  for (const event of events.slice(0, count)) {
    if (event.begin !== undefined) {
      open.set(event.begin, {
        ...event,
        covered: event.op === 'sync' ? disk.listPending(event.file) : undefined,
      })
    } else if (event.end !== undefined) {
      const operation = open.get(event.end)
      open.delete(event.end)
      if (event.failed || applied.has(event.end)) continue
      // Another operation may use a new folder before the program learns that the folder was created.
      for (const [id, { op, path }] of open)
        if (op === 'mkdir' && operation.path?.startsWith(`${path}/`) && !disk.has(path)) {
          disk.apply({ op, path })
          open.delete(id)
          applied.add(id)
        }
      disk.apply(operation)
    }
  }
  return {
    current: () => disk.read(),
    marks: () => events.slice(0, count).flatMap(({ mark }) => mark ?? []),
    afterPowerLoss(random) {
      for (const operation of open.values())
        if (disk.canApply(operation) && random() < 0.5) disk.apply(cutOff(operation, random))
      return disk.lose(random)
    },
  }
}

function cutOff(operation, random) {
  if (operation.op !== 'write' || random() < 0.5) return operation
  return { ...operation, bytes: operation.bytes.subarray(0, Math.floor(random() * operation.bytes.length)) }
}

function createDisk(initial) {
  let sequence = 0
  const createFile = (bytes = Buffer.alloc(0), time = 0) => ({ certain: { bytes, time }, pending: [] })
  const createFolder = () => ({ certain: new Map(), pending: [], current: new Map() })
  const root = createFolder()
  /** Files and folders by the id of the operation that opened them. */
  const opened = new Map()

  const find = (path) => {
    let at = root
    for (const name of path === '' ? [] : path.split('/')) at = at?.current?.get(name)
    return at
  }
  const parentOf = (path) => find(dirname(path) === '.' ? '' : dirname(path))
  /** Changes names in a folder. @param changes pairs of a name and its file; undefined removes the name */
  const rename = (path, changes) => {
    const folder = parentOf(path)
    if (folder === undefined) throw new Error(`no folder for ${path}`)
    setNames(folder.current, changes)
    folder.pending.push({ sequence: sequence++, changes })
  }
  for (const [path, file] of initial) {
    const node = file === undefined ? createFolder() : createFile(file.bytes, file.time)
    const folder = parentOf(path)
    folder.current.set(basename(path), node)
    folder.certain.set(basename(path), node)
  }

  const operations = {
    open({ begin: id, path, creates, truncates, appends }) {
      let node = find(path)
      if (node === undefined) {
        if (!creates) throw new Error(`opened ${path}, which does not exist`)
        node = createFile(Buffer.alloc(0), Math.floor(Date.now() / 1000))
        rename(path, [[basename(path), node]])
      } else if (truncates) node.pending.push({ op: 'truncate', length: 0 })
      opened.set(id, { node, appends, position: 0 })
    },
    write({ file, bytes, time }) {
      const to = opened.get(file)
      const offset = to.appends ? applyAll(to.node).bytes.length : to.position
      to.position = offset + bytes.length
      to.node.pending.push({ op: 'write', offset, bytes, time })
    },
    truncate: ({ file, length }) => void opened.get(file).node.pending.push({ op: 'truncate', length }),
    sync({ file, covered }) {
      const { node } = opened.get(file)
      for (const change of covered) {
        if (!node.pending.includes(change)) continue
        node.pending.splice(node.pending.indexOf(change), 1)
        if (change.changes === undefined) node.certain = applyChange(node.certain, change)
        else setNames(node.certain, change.changes)
      }
    },
    mkdir: ({ path }) => rename(path, [[basename(path), createFolder()]]),
    rmdir: ({ path }) => rename(path, [[basename(path), undefined]]),
    unlink: ({ path }) => rename(path, [[basename(path), undefined]]),
    link: ({ path, to }) => rename(to, [[basename(to), find(path)]]),
    rename({ path, to }) {
      if (dirname(path) !== dirname(to)) throw new Error('the model knows no rename to another folder')
      rename(to, [
        [basename(path), undefined],
        [basename(to), find(path)],
      ])
    },
    copyFile({ path, to }) {
      const node = createFile()
      node.pending.push({ op: 'write', offset: 0, ...applyAll(find(path)) })
      rename(to, [[basename(to), node]])
    },
  }
  const applyAll = (node) => node.pending.reduce(applyChange, node.certain)

  const walk = (folder, getNames, getFile, prefix = '', tree = new Map()) => {
    for (const [name, node] of getNames(folder)) {
      const path = `${prefix}${name}`
      if (node.current === undefined) tree.set(path, getFile(node))
      else {
        tree.set(path, undefined)
        walk(node, getNames, getFile, `${path}/`, tree)
      }
    }
    return tree
  }

  return {
    /** Whether an operation that is in progress can succeed, and changes something. */
    canApply({ op, file, path, creates }) {
      if (file !== undefined) return op !== 'sync' && opened.has(file)
      if (op === 'mkdir') return parentOf(path) !== undefined && find(path) === undefined
      return creates ? parentOf(path) !== undefined : find(path) !== undefined
    },
    apply: (operation) => operations[operation.op](operation),
    has: (path) => find(path) !== undefined,
    listPending: (file) => [...(opened.get(file)?.node.pending ?? [])],
    read: () => walk(root, ({ current }) => current, applyAll),
    lose(random) {
      // As on most file systems, names are lost from some operation on; or each by chance.
      const inOrder = random() < 0.5
      const last = Math.floor(random() * (sequence + 1))
      const keeps = ({ sequence: at }) => (inOrder ? at < last : random() < 0.5)
      const losesNothing = random() < 0.1
      return walk(
        root,
        (folder) => {
          const names = new Map(folder.certain)
          for (const change of folder.pending)
            if (losesNothing || keeps(change)) setNames(names, change.changes)
          return names
        },
        (node) => (losesNothing ? applyAll(node) : loseWrites(node, random)),
      )
    },
  }
}

function setNames(names, changes) {
  for (const [name, node] of changes)
    if (node === undefined) names.delete(name)
    else names.set(name, node)
}

function applyChange({ bytes, time }, change) {
  if (change.op === 'truncate') {
    const shorter = Buffer.alloc(change.length)
    bytes.copy(shorter)
    return { bytes: shorter, time }
  }
  const longer = Buffer.alloc(Math.max(bytes.length, change.offset + change.bytes.length))
  bytes.copy(longer)
  change.bytes.copy(longer, change.offset)
  return { bytes: longer, time: change.time }
}

/** Returns the content of a file that lost writes which were not synced. */
function loseWrites({ certain, pending }, random) {
  if (pending.length === 0) return certain
  const zeros = (change) => (change.bytes ? { ...change, bytes: Buffer.alloc(change.bytes.length) } : change)
  const kinds = [
    () => certain,
    () => pending.reduce(applyChange, certain),
    // The size is on the disk, the content is not.
    () => pending.map(zeros).reduce(applyChange, certain),
    () => pending.filter(() => random() < 0.5).reduce(applyChange, certain),
    () => {
      const kept = Math.floor(random() * pending.length)
      return pending
        .slice(0, kept)
        .concat(cutOff(pending[kept], () => 0.5 + random() / 2))
        .reduce(applyChange, certain)
    },
  ]
  return kinds[Math.floor(random() * kinds.length)]()
}
