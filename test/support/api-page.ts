import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { toTableCell } from './doc-comment.ts'
import {
  type ExportedDeclaration,
  listExports,
  type Member,
  readExports,
  type Signature,
  type TypeText,
} from './exported-declarations.ts'
import { joinBlocks, renderTable } from './reference-pages.ts'

// Own code instead of TypeDoc 0.28 with its Markdown plugin, which was tried: it needs a second compiler next to
// TypeScript 7 (47 MB, 7 s of CPU time), shows the content of types such as `Effort` instead of their names, and writes
// tables of modifiers and defaults under six levels of headings. The page needs only what the source says.

/** Returns docs/api.md: all exports of the package's modules with their docstrings. */
export function renderApiPage(): string {
  const all = readModules()
  const links = new Map(all.flatMap(({ exports }) => exports.map((it) => [it.name, getLink(it)] as const)))
  const documented = new Set<string>()
  const sections = all.flatMap(({ name, exports }) => {
    const repeated = exports.filter((it) => documented.has(it.name))
    const added = exports.filter((it) => !documented.has(it.name))
    for (const it of added) documented.add(it.name)
    const listed = kinds.map(([kind, title]) => ({ title, those: added.filter((it) => it.kind === kind) }))
    const lists = [...listed, { title: 'Also exported, as above', those: repeated }].filter(
      ({ those }) => those.length > 0,
    )
    return [
      `## ${name}`,
      lists.map(({ title, those }) => `- ${title}: ${those.map(getLink).join(', ')}`).join('\n'),
      ...listed.flatMap(({ those }) => those.flatMap((it) => renderDeclaration(it, links))),
    ]
  })
  return joinBlocks([
    '# API of the library',
    'All functions, classes and types that a program can import:',
    "```ts\nimport { createClient, summarizeAll } from 'claude-batch'\nimport { readDocuments } from 'claude-batch/documents'\n```",
    '[Use it from a program](library.md) shows how they work together. This page is generated from the docstrings in `src/`; `npm run docs` updates it.',
    ...sections,
  ])
}

/** Lists what the page cannot explain: exports, fields and parameters without a docstring, and types that are not exported. */
export function findGapsInApi(): string[] {
  const all = readModules().flatMap(({ exports }) => exports)
  const names = new Set(all.map((it) => it.name))
  return all.flatMap(({ path, ...it }) => {
    const inMembers = it.members.flatMap((member) => findGaps(`${it.name}.${member.name}`, member, names))
    const inAlias = findUnexported(it.alias ?? [], names)
    return [...findGaps(it.name, it, names), ...inMembers, ...inAlias].map((gap) => `${path}: ${gap}`)
  })
}

function findGaps(
  name: string,
  { doc, signatures, type }: Pick<Member, 'doc' | 'signatures'> & Partial<Pick<Member, 'type'>>,
  names: ReadonlySet<string>,
): string[] {
  const parameters = signatures.flatMap((it) => it.parameters)
  const parameterNames = new Set(parameters.map((it) => it.name))
  const described = doc?.parameters ?? new Map<string, string>()
  const undocumented = [...parameterNames].filter((it) => !described.get(it))
  const unknown = [...described.keys()].filter((it) => !parameterNames.has(it))
  const types = [
    ...(type ? [type] : []),
    ...parameters.map((it) => it.type),
    ...signatures.map((it) => it.result),
  ]
  return [
    ...(doc === undefined || doc.text === '' ? [`${name} has no docstring`] : []),
    ...undocumented.map((parameter) => `${name} has no @param ${parameter}`),
    ...unknown.map((parameter) => `${name} has no parameter ${parameter}`),
    ...findUnexported(types, names),
  ]
}

function findUnexported(types: readonly TypeText[], names: ReadonlySet<string>): string[] {
  const unexported = types.flatMap((it) => it.names).filter((name) => !names.has(name))
  return [...new Set(unexported)].map((name) => `no module exports ${name}`)
}

function readModules() {
  const { exports } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'))
  const modules = Object.keys(exports)
    .filter((path) => typeof exports[path] === 'object')
    .map((path) => ({
      name: path.replace('.', 'claude-batch'),
      entry: `src/${path === '.' ? 'index' : path.slice(2)}.ts`,
    }))
  const names = modules.flatMap(({ entry }) => listExports(entry))
  return modules.map(({ name, entry }) => ({ name, exports: readExports(entry, names) }))
}

const kinds = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['type', 'Types'],
] as const

/** Headings of types start with a word, because `estimate` and `Estimate` would have the same anchor. */
function getLink({ name, kind }: ExportedDeclaration): string {
  if (kind === 'function') return `[\`${name}()\`](#${name.toLowerCase()})`
  return `[\`${name}\`](#${kind}-${name.toLowerCase()})`
}

type Links = ReadonlyMap<string, string>

function renderDeclaration(it: ExportedDeclaration, links: Links): string[] {
  const { name, kind, doc, typeParameters, bases, members, alias } = it
  if (kind === 'function') return [`### ${name}()`, ...renderFunction(name, it, links)]
  const head = `${kind} ${name}${typeParameters}${renderAlias(alias)}`
  const fields = members.filter(({ signatures }) => signatures.length === 0)
  const rows = fields.map(({ name, isOptional, type, doc }) => [
    `\`${name}${isOptional ? '?' : ''}\``,
    renderType(type, links),
    toTableCell(doc?.text ?? ''),
  ])
  const methods = members.filter((member) => !fields.includes(member))
  return [
    `### ${kind} ${name}`,
    ...(head === `${kind} ${name}` ? [] : [`\`\`\`ts\n${head}\n\`\`\``]),
    doc?.text ?? '',
    ...(bases.length === 0 ? [] : [`Extends ${bases.map((base) => renderType(base, links)).join(' and ')}.`]),
    ...(rows.length === 0 ? [] : [renderTable(['field', 'type', 'meaning'], rows)]),
    ...renderTypeLinks(alias ?? [], links),
    ...methods.flatMap((method) => [
      `#### ${name}${method.name.startsWith('[') ? '' : '.'}${method.name}()`,
      ...renderFunction(method.name, method, links),
    ]),
  ]
}

function renderAlias(parts: readonly TypeText[] | undefined): string {
  if (parts === undefined) return ''
  const line = parts.map(({ text }) => text).join(' | ')
  return line.length < 80 ? ` = ${line}` : ` =${parts.map(({ text }) => `\n  | ${text}`).join('')}`
}

function renderFunction(
  name: string,
  { doc, signatures }: Pick<Member, 'doc' | 'signatures'>,
  links: Links,
): string[] {
  const parameters = signatures.flatMap((it) => it.parameters)
  const rows = [...(doc?.parameters ?? [])].map(([name, meaning]) => {
    const isOptional = parameters.some((it) => it.name === name && it.isOptional)
    return [`\`${name}${isOptional ? '?' : ''}\``, meaning]
  })
  const errors = doc?.throws ?? []
  const types = [...parameters.map(({ type }) => type), ...signatures.map(({ result }) => result)]
  return [
    `\`\`\`ts\n${signatures.map((it) => renderSignature(name, it)).join('\n')}\n\`\`\``,
    doc?.text ?? '',
    ...(rows.length === 0 ? [] : [renderTable(['parameter', 'meaning'], rows)]),
    ...(errors.length === 0 ? [] : [`Throws:\n\n${errors.map((it) => `- ${it}`).join('\n')}`]),
    ...renderTypeLinks(types, links),
  ]
}

function renderSignature(name: string, { isStatic, typeParameters, parameters, result }: Signature): string {
  const head = `${isStatic ? 'static ' : ''}${name}${typeParameters}`
  const list = parameters.map((it) => `${it.name}${it.isOptional ? '?' : ''}: ${it.type.text}`)
  const line = `${head}(${list.join(', ')}): ${result.text}`
  return line.length <= 100 ? line : `${head}(\n${list.map((it) => `  ${it},\n`).join('')}): ${result.text}`
}

/** Links of the types in a code block, which cannot contain links. */
function renderTypeLinks(types: readonly TypeText[], links: Links): string[] {
  const found = new Set(types.flatMap(({ names }) => names).flatMap((name) => links.get(name) ?? []))
  return found.size === 0 ? [] : [`See ${[...found].join(', ')}.`]
}

/** Renders a type as code in which the names of exported types are links. */
function renderType({ text, names }: TypeText, links: Links): string {
  const pieces = text
    .split(new RegExp(`\\b(${names.join('|') || '(?!)'})\\b`))
    .filter((it) => it.trim() !== '')
  return pieces.map((piece) => links.get(piece) ?? `\`${piece.trim()}\``).join(' ')
}
