// Reads all documents in a folder and prints, for each kind: how many are read, which failures the others
// are, how many words of other programs' text are in claude-batch's, the time and the peak memory.
//   node bench/documents.js FOLDER [--json FILE] [--worst N]
// With --worst, prints the N documents of each kind with the lowest recall. Kinds are file extensions.
import { execFile, fork, spawnSync } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import fastGlob from 'fast-glob'
import { machine } from './processes.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, worst: { type: 'string', default: '0' } },
})
const [folder] = positionals
const isFolder = folder !== undefined && (await stat(folder).catch(() => undefined))?.isDirectory()
if (!isFolder) {
  console.error('Usage: node bench/documents.js FOLDER [--json FILE] [--worst N]')
  process.exit(2)
}

const pandoc = { program: 'pandoc', args: (file) => [file, '-t', 'plain', '--wrap=none'] }
/** The programs whose text each kind is compared with; the first one that is installed is used. */
const references = {
  pdf: [{ program: 'pdftotext', args: (file) => ['-q', file, '-'] }],
  doc: ['catdoc', 'antiword'].map((program) => ({ program, args: (file) => [file] })),
  xls: [{ program: 'xls2csv', args: (file) => [file] }],
  ppt: [{ program: 'catppt', args: (file) => [file] }],
  xlsx: [{ program: 'xlsx2csv', args: (file) => ['--all', file] }],
  ...Object.fromEntries(
    ['docx', 'odt', 'epub', 'pptx', 'html', 'htm', 'xhtml', 'ipynb', 'rtf'].map((kind) => [kind, [pandoc]]),
  ),
}
const isInstalled = memoize((program) => spawnSync(program, ['--version']).error?.code !== 'ENOENT')

const byKind = groupByKind(await listFiles(folder))
const result = {}
for (const [kind, files] of [...byKind].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const reference = references[kind]?.find(({ program }) => isInstalled(program))
  const documents = await readKind(files, reference)
  result[kind] = summarizeKind(kind, documents, reference)
  printKind(kind, result[kind])
  const ranked = documents.filter(({ recall }) => recall !== undefined).sort((a, b) => a.recall - b.recall)
  for (const { file, recall } of ranked.slice(0, Number(values.worst)))
    console.log(`  ${percent(recall)}  ${file}`)
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ machine, kinds: result }, null, 2)}\n`)

function listFiles(cwd) {
  return fastGlob('**/*', { cwd: resolve(cwd), absolute: true, followSymbolicLinks: false })
}

function kindOf(file) {
  return extname(file).slice(1).toLowerCase() || 'none'
}

function groupByKind(files) {
  const groups = new Map()
  for (const file of files) {
    const group = groups.get(kindOf(file))
    if (group === undefined) groups.set(kindOf(file), [file])
    else group.push(file)
  }
  return groups
}

/** Reads files in a separate process, and each with the reference program too. */
async function readKind(files, reference) {
  const documents = []
  let child
  for (const file of files) {
    child ??= fork(new URL('documents-child.js', import.meta.url))
    const reply = await ask(child, file)
    if (reply.failure === 'crashed') child = undefined
    const expected = reply.text === undefined ? '' : await readReference(reference, file)
    documents.push({ ...reply, text: undefined, file, recall: measureRecall(expected, reply.text) })
  }
  child?.disconnect()
  return documents
}

function ask(child, file) {
  return new Promise((done) => {
    const onExit = () => done({ failure: 'crashed', seconds: 0, peakMb: 0 })
    child.once('exit', onExit)
    child.once('message', (reply) => {
      child.off('exit', onExit)
      done(reply)
    })
    child.send(file)
  })
}

/** Returns the text of the reference program; `''` if it has none or cannot read the file. */
async function readReference(reference, file) {
  if (reference === undefined) return ''
  const options = { maxBuffer: 100_000_000, timeout: 60_000 }
  return promisify(execFile)(reference.program, reference.args(file), options).then(
    ({ stdout }) => stdout,
    () => '',
  )
}

/** Returns the share of the expected words that the text contains, counting repetitions; undefined for none. */
function measureRecall(expected, text) {
  const words = splitWords(expected)
  if (words.length === 0) return undefined
  const left = new Map()
  for (const word of splitWords(text)) left.set(word, (left.get(word) ?? 0) + 1)
  let found = 0
  for (const word of words) {
    const count = left.get(word) ?? 0
    if (count > 0) found++
    left.set(word, count - 1)
  }
  return found / words.length
}

function splitWords(text) {
  return text.match(/[\p{L}\p{N}]+/gu) ?? []
}

function summarizeKind(kind, documents, reference) {
  const failures = {}
  for (const { failure } of documents)
    if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1
  const recalls = documents.flatMap(({ recall }) => recall ?? []).sort((a, b) => a - b)
  const names = references[kind]?.map(({ program }) => program)
  return {
    files: documents.length,
    read: documents.filter(({ failure }) => failure === undefined).length,
    failures,
    seconds: round(documents.reduce((sum, { seconds }) => sum + seconds, 0)),
    peakMb: Math.round(Math.max(...documents.map(({ peakMb }) => peakMb))),
    compared: recalls.length,
    reference: reference?.program ?? (names ? `skipped: ${names.join(' or ')} is not installed` : 'none'),
    ...(recalls.length > 0 && {
      medianRecall: round(recalls[recalls.length >> 1]),
      tenthPercentileRecall: round(recalls[Math.floor(recalls.length / 10)]),
    }),
  }
}

function printKind(kind, of) {
  const failed = Object.entries(of.failures).map(([type, count]) => `${count} ${type}`)
  console.log(
    `${kind.padEnd(6)} ${of.read} of ${of.files} read${failed.length > 0 ? ` (${failed.join(', ')})` : ''}, ${of.seconds} s, ${of.peakMb} MB`,
  )
  if (of.medianRecall !== undefined)
    console.log(
      `       recall of ${of.reference}: median ${percent(of.medianRecall)}, 10th percentile ${percent(of.tenthPercentileRecall)} (${of.compared} files)`,
    )
  else if (of.reference !== 'none')
    console.log(
      `       recall: ${of.reference.startsWith('skipped') ? of.reference : `nothing to compare with ${of.reference}`}`,
    )
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`
}

function round(value) {
  return Math.round(value * 10_000) / 10_000
}

function memoize(compute) {
  const known = new Map()
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key))
    return known.get(key)
  }
}
