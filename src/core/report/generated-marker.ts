/** The formats of reports. They are also the file extensions. */
export const reportFormats = ['json', 'md', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** The formats of exports. They are also the file extensions. */
export const exportFormats = ['jsonl', 'csv', 'md', 'html'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** The formats of all files that claude-batch recognizes as its own. */
export const generatedFormats = [...reportFormats, 'jsonl', 'csv'] as const
export type GeneratedFormat = (typeof generatedFormats)[number]

/** The generator that every report and every page names. This is how claude-batch recognizes a file that it may replace. */
export const generatorName = 'claude-batch'

/** The first line of every Markdown report. */
export const markdownMarker = `<!-- generator: ${generatorName} -->\n`

/** The beginning of `format`, which is the first field of every JSON report. */
const jsonFormatPrefix = `${generatorName} `

const fileSignatures: Readonly<Record<GeneratedFormat, RegExp>> = {
  json: new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${jsonFormatPrefix}`),
  md: new RegExp(`^<!-- generator: ${generatorName} -->\\r?\\n`),
  html: new RegExp(`^<!doctype html>[^]{0,300}<meta name="generator" content="${generatorName}">`, 'i'),
  jsonl: /^\{"format_version":\d+,"path":"/,
  // Spreadsheet programs write the names without quotation marks, so a table that someone edited is not replaced.
  csv: /^"path","status","model","ended_at",/,
}

/** How much of a file is needed to recognize a generated one: bytes. */
export const signatureBytes = 1024

/**
 * Whether claude-batch wrote this report, estimate, comparison or export, so that it may replace the file.
 * @param head the first {@link signatureBytes} of the file
 */
export function isGenerated(format: GeneratedFormat, head: string): boolean {
  return fileSignatures[format].test(head.replace(/^\ufeff/, ''))
}
