import { type ExtensionCounts, sortByCount } from '../core/document/extension-counts.ts'
import { formatInteger } from '../core/text/format-number.ts'

/** Extensions that are listed by name. */
const maxListed = 8

/**
 * Returns one line about the files in the searched folders that were not read because of their extension:
 * `not read: 12 .doc, 3 .jpg; see docs/documents.md`.
 */
export function formatNotRead(counts: ExtensionCounts): string {
  const sorted = sortByCount(counts)
  const listed = sorted
    .slice(0, maxListed)
    .map(([extension, count]) =>
      extension === ''
        ? `${formatInteger(count)} without extension`
        : `${formatInteger(count)} .${extension}`,
    )
  const others = sorted.length - listed.length
  const rest =
    others === 0 ? '' : ` and ${others === 1 ? '1 other kind' : `${formatInteger(others)} other kinds`}`
  return `not read: ${listed.join(', ')}${rest}; see docs/documents.md`
}
