import { joinMarked, type MarkedText } from '../../../core/document/mark.ts'
import { findMarkdownHeadings } from '../../../core/document/markdown-headings.ts'
import { truncate } from '../../../core/text/truncate.ts'
import { UnreadableError } from './unreadable-error.ts'

/**
 * Returns a Jupyter notebook as Markdown: its text, its code in code blocks, and below each code block up to
 * {@link maxOutputChars} of its output. Images are left out.
 */
export function extractNotebookText(text: string): MarkedText {
  const notebook = parseNotebook(text)
  // In format 3, the cells are in worksheets.
  const cells = toList(notebook['cells'] ?? toObject(toList(notebook['worksheets'])[0])['cells'])
  if (!Array.isArray(notebook['cells'] ?? notebook['worksheets']))
    throw new UnreadableError(
      'not_a_notebook',
      'not a notebook but other JSON (perhaps an error message); download it again',
    )
  const { language_info, kernelspec } = toObject(notebook['metadata'])
  const language = joinLines(toObject(language_info)['name'] ?? toObject(kernelspec)['language'])
  const parts = cells.map((item, index) => {
    const cell = toObject(item)
    const text = formatCell(cell, language)
    const marks = cell['cell_type'] === 'markdown' ? findMarkdownHeadings(text) : []
    return { text, marks, kind: 'cell' as const, label: String(index + 1) }
  })
  return joinMarked(parts, '\n\n')
}

/** Maximum characters of an output: enough for a result, but not for a long log or table. */
const maxOutputChars = 2000

function parseNotebook(text: string): Record<string, unknown> {
  try {
    const notebook: unknown = JSON.parse(text)
    if (typeof notebook === 'object' && notebook !== null) return notebook as Record<string, unknown>
  } catch {
    // Reported below.
  }
  throw new UnreadableError('malformed', 'not a notebook (it is not JSON)')
}

function formatCell(cell: Record<string, unknown>, language: string): string {
  const source = joinLines(cell['source'] ?? cell['input']).trimEnd()
  if (cell['cell_type'] !== 'code') return source
  const outputs = toList(cell['outputs'])
    .map((output) => formatOutput(toObject(output)))
    .filter(Boolean)
  const code = source === '' ? [] : [`\`\`\`${language}\n${source}\n\`\`\``]
  return [...code, ...outputs.map((output) => `Output:\n${output}`)].join('\n\n')
}

function formatOutput(output: Record<string, unknown>): string {
  const { ename, evalue, text, data } = output
  const fullText =
    ename === undefined
      ? joinLines(text ?? toObject(data)['text/plain'])
      : `${joinLines(ename)}: ${joinLines(evalue)}`
  const trimmed = fullText.trimEnd()
  const shown = truncate(trimmed, maxOutputChars)
  return shown === trimmed ? trimmed : `${shown}\n… and ${trimmed.length - shown.length} characters more`
}

/** Returns a text that a notebook stores as one string or as a list of lines. */
function joinLines(value: unknown): string {
  return typeof value === 'string'
    ? value
    : toList(value)
        .filter((line) => typeof line === 'string')
        .join('')
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
