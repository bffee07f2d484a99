import { joinMarked, type MarkedPart, type MarkedText } from '../../../core/document/mark.ts'
import { findMarkdownHeadings } from '../../../core/document/markdown-headings.ts'
import { truncate } from '../../../core/text/truncate.ts'
import { joinLines, readOutput, toList, toObject } from './notebook-output.ts'
import { parseLenientJson } from './parse-lenient-json.ts'
import { UnreadableError } from './unreadable-error.ts'

/**
 * Returns a Jupyter notebook as Markdown: its text, its code in code blocks, and below each code block up to
 * {@link maxOutputChars} of its output. Images are only marked.
 */
export async function extractNotebookText(text: string): Promise<MarkedText> {
  const notebook = parseNotebook(text)
  // Up to format 3, the cells are in worksheets.
  const sheets = [notebook, ...toList(notebook['worksheets']).map(toObject)]
  const cells = sheets.flatMap((sheet) => toList(sheet['cells']))
  if (!Array.isArray(notebook['cells'] ?? notebook['worksheets']))
    throw new UnreadableError(
      'not_a_notebook',
      'not a notebook but other JSON (perhaps an error message); download it again',
    )
  const { language_info, kernelspec } = toObject(notebook['metadata'])
  const language = joinLines(toObject(language_info)['name'] ?? toObject(kernelspec)['language'])
  const parts: MarkedPart[] = []
  for (const [index, item] of cells.entries()) {
    const cell = toObject(item)
    const text = await formatCell(cell, language)
    const marks = cell['cell_type'] === 'markdown' ? findMarkdownHeadings(text) : []
    parts.push({ text, marks, kind: 'cell', label: String(index + 1) })
  }
  return joinMarked(parts, '\n\n')
}

/** Maximum characters of an output: enough for a result, but not for a long log or table. */
const maxOutputChars = 2000

function parseNotebook(text: string): Record<string, unknown> {
  try {
    const notebook = parseLenientJson(text)
    if (typeof notebook === 'object' && notebook !== null) return notebook as Record<string, unknown>
  } catch {
    // Reported below.
  }
  throw new UnreadableError('malformed', 'not a notebook (it is not JSON)')
}

async function formatCell(cell: Record<string, unknown>, language: string): Promise<string> {
  const source = joinLines(cell['source'] ?? cell['input'] ?? cell['text'] ?? cell['code']).trimEnd()
  if (cell['cell_type'] === 'heading') return `${'#'.repeat(findHeadingLevel(cell))} ${source.trim()}`
  if (cell['cell_type'] !== 'code') return source
  const outputs: string[] = []
  for (const output of toList(cell['outputs'])) {
    const text = shorten((await readOutput(toObject(output))).trimEnd())
    if (text !== '') outputs.push(`Output:\n${text}`)
  }
  const code = source === '' ? [] : [`\`\`\`${joinLines(cell['language']) || language}\n${source}\n\`\`\``]
  return [...code, ...outputs].join('\n\n')
}

function findHeadingLevel({ level }: Record<string, unknown>): number {
  return typeof level === 'number' && level >= 1 && level <= 6 ? Math.floor(level) : 1
}

function shorten(output: string): string {
  const shown = truncate(output, maxOutputChars)
  return shown === output ? output : `${shown}\n… and ${output.length - shown.length} characters more`
}
