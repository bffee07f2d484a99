/** The formats of reports, which are also the extensions of their files. */
export const reportFormats = ['json', 'md', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** What the pages name as their generator: by it claude-batch recognizes a file that it may replace. */
export const generatorName = 'claude-batch'

/** The first line of every Markdown page. */
export const markdownMarker = `<!-- generator: ${generatorName} -->\n`

/** The `format` of every JSON report begins so, and is its first field. */
const jsonFormatPrefix = `${generatorName} `

const fileSignatures: Readonly<Record<ReportFormat, RegExp>> = {
  json: new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${jsonFormatPrefix}`),
  md: new RegExp(`^<!-- generator: ${generatorName} -->\\r?\\n`),
  html: new RegExp(`^<!doctype html>[^]{0,300}<meta name="generator" content="${generatorName}">`, 'i'),
}

/** How much of a file tells whether it was generated: bytes. */
export const signatureBytes = 1024

/**
 * Whether a file is a report, an estimate or a comparison that claude-batch made, and may be replaced by another one.
 * @param head its first {@link signatureBytes}
 */
export function isGenerated(format: ReportFormat, head: string): boolean {
  return fileSignatures[format].test(head.replace(/^\ufeff/, ''))
}
