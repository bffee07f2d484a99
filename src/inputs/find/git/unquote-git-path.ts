import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * Returns a path without the quotes that git puts around names with unusual characters, such as
 * `"caf\\303\\251.md"`. A file whose name really is in quotes is returned unchanged.
 * @see https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath
 */
export function unquoteGitPath(path: string, cwd: string): string {
  const [, quoted] = /^"((?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*)"$/.exec(path) ?? []
  if (quoted === undefined || existsSync(resolve(cwd, path))) return path
  // Octal escapes are bytes of UTF-8, so the text is put together from bytes.
  const bytes = quoted
    .split(/(\\(?:[0-7]{3}|.))/s)
    .map((part) => (part.startsWith('\\') ? unescapeCode(part.slice(1)) : Buffer.from(part)))
  return Buffer.concat(bytes).toString('utf8')
}

function unescapeCode(code: string): Buffer {
  return /^[0-7]{3}$/.test(code)
    ? Buffer.from([Number.parseInt(code, 8)])
    : Buffer.from(escapes[code] ?? code)
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
