/** The formats of reports, which are also the extensions of their files. */
export const reportFormats = ['json', 'md', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** What the pages name as their generator: by it claude-batch recognizes a file that it may replace. */
export const generator = 'claude-batch'

/** The first line of every Markdown page. */
export const markdownMarker = `<!-- generator: ${generator} -->\n`

/** The `format` of every JSON report begins so, and is its first field. */
const jsonFormat = `${generator} `

const beginnings: Readonly<Record<ReportFormat, RegExp>> = {
  json: new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${jsonFormat}`),
  md: new RegExp(`^<!-- generator: ${generator} -->\\r?\\n`),
  html: new RegExp(`^<!doctype html>[^]{0,300}<meta name="generator" content="${generator}">`, 'i'),
}

/** How much of a file tells whether it was generated: bytes. */
export const beginningBytes = 1024

/**
 * Whether a file is a report, an estimate or a comparison that claude-batch made, and may be replaced by another one.
 * @param beginning its first {@link beginningBytes}
 */
export function isGenerated(format: ReportFormat, beginning: string): boolean {
  return beginnings[format].test(beginning.replace(/^\ufeff/, ''))
}
