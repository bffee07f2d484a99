import { sep } from 'node:path'

/**
 * Returns a name that Windows allows for a file or folder: characters that it reserves become `_`, the name of
 * a device such as `con.md` becomes `con_.md`, and a dot or space at the end becomes `_`. A colon would otherwise
 * write to a hidden stream of another file.
 * @see https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
export function toWindowsName(name: string): string {
  return name
    .replace(/[<>:"|?*\\\x00-\x1f]/g, '_')
    .replace(/[ .]$/, '_')
    .replace(devicePattern, '$1_$2')
}

/** Names of devices, with any extension. Windows also accepts superscript digits in them. */
const devicePattern = /^(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])( *(?:\..*)?)$/i

/**
 * Returns why Windows does not allow a path; undefined for a usable path, and on other systems. Without this
 * check, Node.js would create files that Explorer can neither open nor delete.
 * @param path absolute, or one name
 * @param separator of the system
 */
export function describeForbiddenName(path: string, separator: string = sep): string | undefined {
  if (separator === '/') return undefined
  const name = path
    .replace(/^(?:\\\\[.?]\\)?(?:UNC\\|\\\\)?(?:[a-z]:)?/i, '')
    .split(/[\\/]/)
    .find((part) => part !== toWindowsName(part))
  return name && `Windows does not allow the name ${JSON.stringify(name)}; use another one`
}
