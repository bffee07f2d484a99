import { basename } from 'node:path'
import type { InputProblem } from '../../../core/document/document.ts'
import { escapeControlChars } from '../../../core/text/escape-control-chars.ts'
import { truncate } from '../../../core/text/truncate.ts'
import { type IdentifiedContent, identifyContent, sniffedBytes } from './identify-content.ts'

/** The format that the extension of a file promises. */
interface PromisedFormat {
  /** Its key in the table of formats. */
  readonly format: string
  /** One document of the format, with its article. */
  readonly noun: string
  readonly container: 'text' | 'archive' | 'bytes'
}

/**
 * Returns the problem of a file that is something else than its extension promises, such as a sign-in page
 * saved as `report.pdf`; undefined if it may be what it promises. Call it for a PDF or an archive only if the
 * file does not begin like one.
 */
export function findWrongContent(
  path: string,
  bytes: Buffer,
  { format, noun, container }: PromisedFormat,
): InputProblem | undefined {
  const content = identifyContent(bytes)
  const hasSignature = container !== 'text' && format !== 'email'
  if (!hasSignature && mayBe(format, bytes, content)) return undefined
  const name = escapeControlChars(truncate(basename(path), 100))
  return {
    action: 'fail',
    type: `not_${noun.toLowerCase().replace(/\W/g, '_')}`,
    message: `${name} is not ${noun} but ${content.what}; ${content.advice}`,
  }
}

/** Whether content may be a document of a format that has no signature at its beginning. */
function mayBe(format: string, bytes: Buffer, { kind }: IdentifiedContent): boolean {
  if (kind === 'text') return true
  // Binary data under these names may be in an encoding that the user sets.
  if (kind === 'unknown') return format !== 'email' || startsWithHeader(bytes)
  // A page may be a template that begins like JSON, or a fragment that begins like XML.
  if (format === 'html') return kind === 'html' || kind === 'xml' || kind === 'markup' || kind === 'json'
  if (format === 'notebook') return kind === 'json'
  return format === 'subtitles' && kind === 'markup'
}

function startsWithHeader(bytes: Buffer): boolean {
  return /^\s*(?:>?From |[!-9;-~]+[ \t]*:)/.test(bytes.toString('latin1', 0, sniffedBytes))
}
