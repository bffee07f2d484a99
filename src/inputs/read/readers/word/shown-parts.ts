import type { Section } from './word-story.ts'

/**
 * Returns the relationship ids of the headers or footers that pages show, those of first pages before the
 * others. Word keeps headers that are switched off, with their old text. A section without a header of some type
 * has that of the section before it.
 */
export function listShownParts(
  sections: readonly Section[],
  kind: 'header' | 'footer',
  hasEvenPages: boolean,
): readonly string[] {
  const ids = new Set<string>()
  const current = new Map<string, string>()
  for (const { references, hasTitlePage } of sections) {
    for (const reference of references) if (reference.kind === kind) current.set(reference.type, reference.id)
    for (const type of ['first', 'default', 'even']) {
      if ((type === 'first' && !hasTitlePage) || (type === 'even' && !hasEvenPages)) continue
      const id = current.get(type)
      if (id !== undefined) ids.add(id)
    }
  }
  return [...ids]
}
