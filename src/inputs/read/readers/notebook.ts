import { truncate } from '../../../core/text/truncate.ts'
import { Unreadable } from './unreadable.ts'

/**
 * A Jupyter notebook as Markdown: its text as it is, its code in fences, what the code printed below it, up to
 * {@link mostOfAnOutput}. Pictures are left out.
 */
export function notebookText(text: string): string {
  const notebook = parsed(text)
  // Format 3 had its cells in worksheets.
  const cells = listOf(notebook['cells'] ?? objectOf(listOf(notebook['worksheets'])[0])['cells'])
  const { language_info, kernelspec } = objectOf(notebook['metadata'])
  const language = textOf(objectOf(language_info)['name'] ?? objectOf(kernelspec)['language'])
  return cells
    .map((cell) => cellText(objectOf(cell), language))
    .filter(Boolean)
    .join('\n\n')
}

/** Characters. Enough for a result; not for a log or a table of everything. */
const mostOfAnOutput = 2000

function parsed(text: string): Record<string, unknown> {
  try {
    const notebook: unknown = JSON.parse(text)
    if (typeof notebook === 'object' && notebook !== null) return notebook as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new Unreadable('malformed', 'not a notebook (it is no JSON)')
}

function cellText(cell: Record<string, unknown>, language: string): string {
  const source = textOf(cell['source'] ?? cell['input']).trimEnd()
  if (cell['cell_type'] !== 'code') return source
  const outputs = listOf(cell['outputs'])
    .map((output) => outputText(objectOf(output)))
    .filter(Boolean)
  const code = source === '' ? [] : [`\`\`\`${language}\n${source}\n\`\`\``]
  return [...code, ...outputs.map((output) => `Output:\n${output}`)].join('\n\n')
}

function outputText(output: Record<string, unknown>): string {
  const { ename, evalue, text, data } = output
  const all =
    ename === undefined ? textOf(text ?? objectOf(data)['text/plain']) : `${textOf(ename)}: ${textOf(evalue)}`
  const bare = all.trimEnd()
  const shown = truncate(bare, mostOfAnOutput)
  return shown === bare ? bare : `${shown}\n… and ${bare.length - shown.length} characters more`
}

/** Texts are lists of lines, or one text. */
function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : listOf(value)
        .filter((line) => typeof line === 'string')
        .join('')
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
