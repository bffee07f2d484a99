import { sumInputTokens } from '../pricing/usage.ts'
import { readCompleteCost } from '../run/complete-cost.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'

/**
 * Returns the YAML front matter of a summary, which editors and site generators read. Values are written as
 * JSON, which is also YAML, so that no character in a path can end a value or the front matter.
 */
export function formatFrontMatter(entry: DocumentEntry): string {
  const { path, sha256, model, prompt, ended_at: time } = entry
  const { usage, cost_usd: cost } = readCompleteCost(entry)
  const fields = {
    source: path,
    sha256: sha256 ?? null,
    model,
    prompt,
    date: time,
    input_tokens: usage === null ? null : sumInputTokens(usage),
    output_tokens: usage?.output_tokens ?? null,
    cost_usd: cost,
  }
  const lines = Object.entries(replaceLoneSurrogates(fields)).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  )
  return `---\n${lines.join('\n')}\n---\n\n`
}

/**
 * Returns a summary without front matter, if this contains the document hash, which no model knows. Git may have
 * changed the line ends to CRLF.
 */
export function stripFrontMatter(text: string, { sha256 }: { readonly sha256?: string | undefined }): string {
  const head = /^---\r?\nsource: [^\n]*\nsha256: "(\w+)"\r?\n(?:[a-z_]+: [^\n]*\n)*---\r?\n\r?\n/.exec(text)
  return head !== null && head[1] === sha256 ? text.slice(head[0].length) : text
}
