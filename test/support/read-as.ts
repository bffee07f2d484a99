import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { convertDocument } from '../../src/inputs/read/readers/convert-document.ts'
import { detectFormat } from '../../src/inputs/read/readers/document-formats.ts'

const folder = resolve(import.meta.dirname, '../../fixtures/kinds')

/** Reads a document with the reader of its format. @returns its text, or `type: message` of the failure */
export async function readAs(name: string, content: string | Buffer, encoding?: string): Promise<string> {
  const bytes = Buffer.from(content)
  const format = detectFormat(name, bytes)
  if (format === undefined) throw new Error(`${name} has no reader`)
  const result =
    typeof format === 'object' ? format : await convertDocument({ format, pdf: 'text', bytes, encoding })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

/** Reads a file in `fixtures/kinds`, like {@link readAs}. */
export async function readFixture(name: string): Promise<string> {
  return readAs(name, await readFile(join(folder, name)))
}
