// Reports words that docs/glossary.md replaces, in everything people read: comments, messages, help, titles of tests,
// docs and prompts. `words.json` lists the words with their replacements.
//
//   npm run prose                 the whole repository; fails if a word is found
//   npm run prose -- src/engine   some files or folders
//   npm run prose -- --sentences  the length of sentences in the docs
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { parseSync } from 'oxc-parser'

const root = resolve(import.meta.dirname, '../..')
const { words, exceptions } = JSON.parse(readFileSync(new URL('words.json', import.meta.url), 'utf8'))
const rules = words.map(([pattern, advice]) => ({
  pattern: new RegExp(`\\b(?:${pattern})\\b`, 'gi'),
  advice,
}))

const longSentence = 25

const args = process.argv.slice(2)
const named = args.filter((arg) => !arg.startsWith('-')).map((path) => relative(root, resolve(path)))
const patterns = [
  '*.md',
  '{src,test,bench,scripts,docs,prompts,bin}/**/*.{md,ts,js,yaml,html}',
  '.github/**/*.{md,yml}',
  '.ci/run',
]
const files = (
  await fastGlob(patterns, { cwd: root, dot: true, ignore: ['test/**/__snapshots__/**'] })
).filter((file) => named.length === 0 || named.some((name) => file === name || file.startsWith(`${name}/`)))

if (args.includes('--sentences')) reportSentences(files.filter((file) => file.endsWith('.md')))
else reportWords(files.sort())

function reportWords(files) {
  let count = 0
  for (const file of files) {
    for (const { line, text } of readProse(file)) {
      for (const { pattern, advice } of rules) {
        for (const { 0: word, index } of text.matchAll(pattern)) {
          const isPartOf = (phrase) =>
            text
              .slice(Math.max(0, index - phrase.length), index + word.length + phrase.length)
              .includes(phrase)
          if (exceptions.some(([path, phrase]) => file === path && isPartOf(phrase))) continue
          const wordLine = line + text.slice(0, index).split('\n').length - 1
          const context = text.slice(Math.max(0, index - 40), index + 40).replaceAll(/\s+/g, ' ')
          console.log(`${file}:${wordLine}: “${word}” → ${advice}\n    …${context.trim()}…`)
          count++
        }
      }
    }
  }
  console.log(count === 0 ? `no word to replace in ${files.length} files` : `${count} words to replace`)
  process.exitCode = count === 0 ? 0 : 1
}

/** The texts of a file that people read, each with the line it starts at. */
function readProse(file) {
  const text = readFileSync(resolve(root, file), 'utf8')
  if (/\.[tj]s$/.test(file)) return readProgramProse(file, text)
  if (file.endsWith('.md')) return [{ line: 1, text: removeCode(text) }]
  if (file === '.ci/run') return [{ line: 1, text: text.replaceAll(/^(?!\s*#).*$/gm, '') }]
  return [{ line: 1, text }]
}

/** Comments; and of tests their titles, of other files the strings that hold more than one word. */
function readProgramProse(file, source) {
  const { program, comments } = parseSync(file, source)
  const lineAt = createLineLookup(source)
  const prose = comments.map(({ start, value }) => ({ line: lineAt(start), text: value }))
  const addText = (node) => {
    const texts = node.type === 'Literal' ? [node] : (node.quasis ?? [])
    for (const { start, value } of texts) {
      const text = typeof value === 'string' ? value : value?.cooked
      if (typeof text === 'string' && /\s/.test(text)) prose.push({ line: lineAt(start), text })
    }
  }
  const isTest = file.startsWith('test/')
  visit(program, (node) => {
    if (!isTest && (node.type === 'Literal' || node.type === 'TemplateLiteral')) addText(node)
    if (isTest && node.type === 'CallExpression' && node.arguments.length > 1 && isTitleCall(node.callee))
      addText(node.arguments[0])
  })
  return prose
}

function isTitleCall(callee) {
  if (callee.type === 'Identifier') return /^(it|test|describe|bench)$/.test(callee.name)
  const inner = callee.object ?? callee.tag ?? callee.callee
  return inner !== undefined && isTitleCall(inner)
}

function visit(node, onNode) {
  if (Array.isArray(node)) for (const child of node) visit(child, onNode)
  else if (typeof node?.type === 'string') {
    onNode(node)
    for (const child of Object.values(node))
      if (typeof child === 'object' && child !== null) visit(child, onNode)
  }
}

function createLineLookup(source) {
  const starts = [0]
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1
}

/** Blanks code, which is not prose, and keeps the lines where they are. */
function removeCode(markdown) {
  const blank = (text) => text.replaceAll(/[^\n]/g, ' ')
  return markdown
    .replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, blank)
    .replaceAll(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, blank)
    .replaceAll(/\]\([^)\n]*\)/g, blank)
}

/** Prints, for each page, how many sentences it has and how many are long. */
function reportSentences(files) {
  const all = []
  for (const file of files) {
    const text = removeCode(readFileSync(resolve(root, file), 'utf8')).replaceAll(/^(\||#).*$/gm, '')
    const sentences = text
      .split(/(?<=[.!?:])\s+|\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/)
      .map((sentence) => sentence.split(/\s+/).filter((word) => /\w/.test(word)))
      .filter(({ length }) => length > 2)
    const long = sentences.filter(({ length }) => length > longSentence)
    if (long.length > 0)
      console.log(`${file}: ${long.length} of ${sentences.length} sentences over ${longSentence} words`)
    for (const sentence of args.includes('-v') ? long : []) console.log(`    ${sentence.join(' ')}`)
    all.push(...sentences.map(({ length }) => length))
  }
  const sorted = all.sort((a, b) => a - b)
  const over = sorted.filter((length) => length > longSentence).length
  console.log(
    `${files.length} pages, ${sorted.length} sentences: median ${sorted[sorted.length >> 1]} words, ${((100 * over) / sorted.length).toFixed(1)} % over ${longSentence}`,
  )
}
