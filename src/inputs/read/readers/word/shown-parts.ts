import type { Section } from './word-story.ts'

/**
 * Returns the relationship ids of the headers or footers that pages show, those of first pages before the
 * others. Word keeps headers that are switched off, with their old text.
 */
export function listShownParts(
  sections: readonly Section[],
  kind: 'header' | 'footer',
  hasEvenPages: boolean,
): readonly string[] {
  const ids = new Set<string>()
  for (const { references, hasTitlePage } of sections)
    for (const type of ['first', 'default', 'even']) {
      if ((type === 'first' && !hasTitlePage) || (type === 'even' && !hasEvenPages)) continue
      for (const reference of references)
        if (reference.kind === kind && reference.type === type) ids.add(reference.id)
    }
  return [...ids]
}
