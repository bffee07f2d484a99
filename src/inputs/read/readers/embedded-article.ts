import { type HtmlElement, textOf, walkHtml } from './html-tree.ts'

/**
 * Returns the longest article in the structured data of a page (`articleBody` in JSON-LD); `''` if there is
 * none. Pages that a script fills have their text only there.
 */
export function findEmbeddedArticle(root: HtmlElement): string {
  let longest = ''
  walkHtml(root, {
    onEnter(element) {
      const isData =
        element.name === 'script' &&
        /^application\/ld\+json\b/i.test(element.attributes['type']?.trim() ?? '')
      const found = isData ? findArticleBody(textOf(element)) : ''
      if (found.length > longest.length) longest = found
      return true
    },
  })
  return longest
}

/** Returns the longest `articleBody` in JSON. */
function findArticleBody(json: string): string {
  let longest = ''
  const values: unknown[] = [parseJson(json)]
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (typeof value !== 'object' || value === null) continue
    const { articleBody } = value as { articleBody?: unknown }
    if (typeof articleBody === 'string' && articleBody.length > longest.length) longest = articleBody
    for (const member of Object.values(value)) values.push(member ?? null)
  }
  return longest
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
