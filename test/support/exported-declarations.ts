import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { type DocComment, parseDocComment } from './doc-comment.ts'

/** A function, class or type that a module exports, as its source declares it. */
export interface ExportedDeclaration {
  readonly name: string
  /** Its file, relative to the project. */
  readonly path: string
  readonly kind: 'function' | 'class' | 'type'
  readonly doc: DocComment | undefined
  /** Type parameters with their brackets; empty without any. */
  readonly typeParameters: string
  /** The signatures of a function: more than one if it is overloaded. */
  readonly signatures: readonly Signature[]
  /** The classes and interfaces that it extends or implements; instead of those that no module exports, their bases. */
  readonly bases: readonly TypeText[]
  /** The fields and methods, with those of bases that no module exports. */
  readonly members: readonly Member[]
  /** The parts of the union that an alias stands for. Undefined if only its docstring can say what that is. */
  readonly alias: readonly TypeText[] | undefined
}

/** A field, or a method with at least one signature. */
export interface Member extends Parameter {
  readonly doc: DocComment | undefined
  readonly signatures: readonly Signature[]
}

export interface Signature {
  readonly isStatic: boolean
  readonly typeParameters: string
  readonly parameters: readonly Parameter[]
  readonly result: TypeText
}

interface Parameter {
  readonly name: string
  readonly isOptional: boolean
  readonly type: TypeText
}

/** A type as it is written, and the names in it that are declared in this project. */
export interface TypeText {
  readonly text: string
  readonly names: readonly string[]
}

/** Returns the names that a module exports, in alphabetical order. It consists of `export … from`. */
export function listExports(entry: string): string[] {
  return [...readSource(entry).imports.keys()].sort((a, b) => a.localeCompare(b, 'en'))
}

/** Reads the exports of a module. @param exportedNames the names that any module of the package exports */
export function readExports(entry: string, exportedNames: readonly string[]): ExportedDeclaration[] {
  return listExports(entry).map((name) => {
    const { file, nodes } = findDeclaration(entry, name)
    const [node] = nodes
    const isFunction = /Function/.test(node.type)
    const isAlias = node.type === 'TSTypeAliasDeclaration'
    return {
      name,
      path: file.path,
      kind: isFunction ? 'function' : node.type === 'ClassDeclaration' ? 'class' : 'type',
      doc: nodes.map((it) => findDoc(file, it.statement)).find((doc) => doc !== undefined),
      typeParameters: slice(file, node.typeParameters),
      signatures: isFunction ? readSignatures(file, nodes) : [],
      alias: isAlias ? readAlias(file, node.typeAnnotation) : undefined,
      ...(isFunction || isAlias ? { bases: [], members: [] } : readShape(file, node, exportedNames)),
    }
  })
}

/** A node of a syntax tree; of its many fields, each function reads a few. */
// biome-ignore lint/suspicious/noExplicitAny: the parser's types are a union of all nodes of all languages.
type Node = any

interface SourceFile {
  readonly path: string
  readonly text: string
  /** By name; overloads of a function have one name. */
  readonly declarations: ReadonlyMap<string, readonly Node[]>
  /** Where imported and re-exported names come from. */
  readonly imports: ReadonlyMap<string, { readonly path: string; readonly name: string }>
  readonly comments: readonly { readonly type: string; readonly value: string; readonly end: number }[]
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
  const { program, comments } = parseSync(path, text)
  const declarations = new Map<string, Node[]>()
  const imports = new Map<string, { path: string; name: string }>()
  for (const statement of program.body as Node[]) {
    const from: string = statement.source?.value ?? ''
    // `import * as core` has no name in its module: in `core.Prompt`, that is `Prompt`.
    for (const { local, imported, exported } of from.startsWith('.') ? statement.specifiers : [])
      imports.set((exported ?? local).name, { path: join(path, '..', from), name: (imported ?? local).name })
    const declaration = statement.declaration ?? statement
    const name = declaration.id?.name
    if (name === undefined) continue
    declarations.set(name, [...(declarations.get(name) ?? []), { ...declaration, statement }])
  }
  return { path, text, declarations, imports, comments }
}

interface Declaration {
  readonly file: SourceFile
  readonly nodes: readonly Node[]
}

function findDeclaration(path: string, name: string): Declaration {
  const file = readSource(path)
  const nodes = file.declarations.get(name)
  if (nodes !== undefined) return { file, nodes }
  const origin = file.imports.get(name)
  if (origin === undefined) throw new Error(`${path} neither declares nor imports ${name}`)
  return findDeclaration(origin.path, origin.name)
}

/** Reads the signatures of a function, without the implementation of an overloaded one. */
function readSignatures(file: SourceFile, nodes: readonly Node[]): Signature[] {
  const signatures = nodes.length === 1 ? nodes : nodes.filter(({ body }) => !body)
  return signatures.map((node) => {
    const { typeParameters, params, returnType } = node.value ?? node
    return {
      isStatic: node.static === true,
      typeParameters: slice(file, typeParameters),
      parameters: params.map((param: Node) => {
        const { name, optional, typeAnnotation } = param.left ?? param
        const isOptional = param.left !== undefined || optional === true
        return { name, isOptional, type: readType(file, typeAnnotation.typeAnnotation, isOptional) }
      }),
      result: readType(file, returnType.typeAnnotation),
    }
  })
}

function readAlias(file: SourceFile, type: Node): TypeText[] | undefined {
  if (type.type === 'TSConditionalType') return undefined
  const parts: readonly Node[] = type.type === 'TSUnionType' ? type.types : [type]
  return parts.map((part) => readType(file, part))
}

/** Reads the bases and members of a class or interface. Members of exported bases are not repeated without a docstring. */
function readShape(
  file: SourceFile,
  node: Node,
  exportedNames: readonly string[],
): { bases: TypeText[]; members: Member[]; inheritedNames: string[] } {
  const bases: TypeText[] = []
  const members: Member[] = node.body.body.flatMap((member: Node) => readMember(file, member))
  const inheritedNames: string[] = []
  const superClass = node.superClass ? [{ ...node.superClass, expression: node.superClass }] : []
  for (const base of [...superClass, ...(node.extends ?? []), ...(node.implements ?? [])]) {
    const [name = '', inNamespace] = slice(file, base.expression).split('.')
    const isInProject = file.declarations.has(name) || file.imports.has(name)
    const isLinked = inNamespace === undefined && exportedNames.includes(name)
    if (isLinked || !isInProject) bases.push({ text: slice(file, base), names: isLinked ? [name] : [] })
    if (!isInProject) continue
    const from = inNamespace === undefined ? file.path : (file.imports.get(name)?.path ?? '')
    const declaration = findDeclaration(from, inNamespace ?? name)
    const shape = readShape(declaration.file, declaration.nodes[0], exportedNames)
    inheritedNames.push(...shape.inheritedNames)
    if (isLinked) inheritedNames.push(...shape.members.map((it) => it.name))
    else {
      bases.push(...shape.bases)
      members.push(...shape.members)
    }
  }
  const isRepeated = ({ name, doc }: Member) => doc === undefined && inheritedNames.includes(name)
  return { bases, members: joinOverloads(members.filter((it) => !isRepeated(it))), inheritedNames }
}

/** Joins methods of the same name; the first one has the docstring. */
function joinOverloads(members: readonly Member[]): Member[] {
  const joined = new Map<string, Member>()
  for (const member of members) {
    const first = joined.get(member.name)
    const signatures = [...(first?.signatures ?? []), ...member.signatures]
    joined.set(member.name, { ...(first ?? member), signatures })
  }
  return [...joined.values()]
}

function readMember(file: SourceFile, node: Node): Member[] {
  const doc = findDoc(file, node)
  if (doc?.isInternal) return []
  const name = node.computed ? `[${slice(file, node.key)}]` : node.key.name
  const isOptional = node.optional === true
  if (/Method/.test(node.type)) {
    const type = { text: '', names: [] }
    return [{ name, isOptional, type, doc, signatures: readSignatures(file, [node]) }]
  }
  const type = readType(file, node.typeAnnotation?.typeAnnotation ?? node.value, isOptional)
  return [{ name, isOptional, type, doc, signatures: [] }]
}

/** Reads a type. Of an optional one, `| undefined` adds nothing. */
function readType(file: SourceFile, type: Node, isOptional = false): TypeText {
  const parts: readonly Node[] = type.type === 'TSUnionType' ? type.types : [type]
  const shown = isOptional ? parts.filter((it) => it.type !== 'TSUndefinedKeyword') : parts
  const isInParentheses = shown.length === 1 && shown[0].type === 'TSParenthesizedType'
  const nodes: readonly Node[] = isInParentheses ? [shown[0].typeAnnotation] : shown
  const names = new Set<string>()
  walk(nodes, ({ type, typeName }) => {
    const name = type === 'TSTypeReference' ? typeName.name : undefined
    if (file.declarations.has(name) || file.imports.has(name)) names.add(name)
  })
  return { text: nodes.map((it) => slice(file, it)).join(' | '), names: [...names] }
}

/** Parses the JSDoc comment that is directly before a node. */
function findDoc({ comments, text }: SourceFile, { start }: Node): DocComment | undefined {
  const comment = comments.findLast(({ end }) => end <= start)
  if (!comment?.value.startsWith('*') || text.slice(comment.end, start).trim() !== '') return undefined
  return parseDocComment(comment.value)
}

/** The source of a node in one line; empty without a node. */
function slice({ text }: SourceFile, node: Node): string {
  return node ? text.slice(node.start, node.end).replaceAll(/\s+/g, ' ') : ''
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(value)
  for (const child of Object.values(value)) walk(child, visit)
}
