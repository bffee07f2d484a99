/** One entry of a git configuration file. */
export interface GitConfigEntry {
  /** In lower case, such as `core`. */
  readonly section: string
  /** The text in quotes, such as the condition of an `includeIf`. */
  readonly subsection: string | undefined
  /** In lower case, such as `excludesfile`. */
  readonly key: string
  /** Undefined if there is no `=`, which means true. */
  readonly value: string | undefined
}

/**
 * Parses a git configuration file.
 * @throws Error that names the line that git would not accept
 */
export function parseGitConfig(text: string): GitConfigEntry[] {
  const entries: GitConfigEntry[] = []
  const source = text.replace(/^\ufeff/, '').replace(/\r\n/g, '\n')
  let [section, subsection]: [string | undefined, string | undefined] = [undefined, undefined]
  let at = 0
  const match = (part: RegExp) => {
    part.lastIndex = at
    const found = part.exec(source)
    if (found !== null) at = part.lastIndex
    return found
  }
  while (true) {
    match(/(?:\s+|[#;].*)*/y)
    if (at === source.length) return entries
    const header = match(/\[([\w.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\]/y)
    if (header !== null) {
      const [, name = '', quoted] = header
      const [first = '', ...rest] = name.toLowerCase().split('.')
      section = first
      // `[section.sub]` is the old syntax of `[section "sub"]`.
      subsection = quoted?.replace(/\\(.)/g, '$1') ?? (rest.length > 0 ? rest.join('.') : undefined)
      continue
    }
    const key = section === undefined ? null : match(/([a-z][a-z\d-]*)[ \t]*/iy)
    const value =
      key === null ? null : match(/=((?:"(?:[^"\\\n]|\\.)*"|\\.|[^"\\\n#;])*)(?=[\n#;]|$)|(?=\n|$)/sy)
    if (section === undefined || key === null || value === null)
      throw new Error(`line ${findLineNumber(source, at)} is malformed`)
    entries.push({
      section,
      subsection,
      key: (key[1] ?? '').toLowerCase(),
      value: value[1] === undefined ? undefined : unquote(value[1]),
    })
  }
}

function findLineNumber(source: string, at: number): number {
  return source.slice(0, at).split('\n').length
}

/**
 * Returns a value without quotes, escapes and surrounding spaces. Removes line breaks after a backslash, but
 * keeps the spaces before them.
 */
function unquote(quoted: string): string {
  let value = ''
  let [isQuoted, length] = [false, 0]
  for (let index = 0; index < quoted.length; index++) {
    const character = quoted[index] as string
    if (!isQuoted && /\s/.test(character)) {
      if (value !== '') value += character
      continue
    }
    if (character === '"') isQuoted = !isQuoted
    else if (character !== '\\') value += character
    else value += escapes[quoted[++index] as string] ?? quoted[index]
    length = value.length
  }
  return value.slice(0, length)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', '\n': '' }

/** Returns the value of a boolean setting; undefined if it is not a boolean. */
export function parseBoolean({ value }: Pick<GitConfigEntry, 'value'>): boolean | undefined {
  if (value === undefined || /^(true|yes|on)$/i.test(value)) return true
  if (/^(false|no|off|)$/i.test(value)) return false
  return /^[+-]?\d+[kmg]?$/i.test(value) ? !/^[+-]?0+[kmg]?$/i.test(value) : undefined
}
