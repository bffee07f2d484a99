/** The formats of reports. They are also the file extensions. */
export const reportFormats = ['json', 'md', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** The generator that every report names. This is how claude-batch recognizes a file that it may replace. */
export const generatorName = 'claude-batch'

/** The first line of every Markdown report. */
export const markdownMarker = `<!-- generator: ${generatorName} -->\n`

/** The beginning of `format`, which is the first field of every JSON report. */
const jsonFormatPrefix = `${generatorName} `

const fileSignatures: Readonly<Record<ReportFormat, RegExp>> = {
  json: new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${jsonFormatPrefix}`),
  md: new RegExp(`^<!-- generator: ${generatorName} -->\\r?\\n`),
  html: new RegExp(`^<!doctype html>[^]{0,300}<meta name="generator" content="${generatorName}">`, 'i'),
}

/** How much of a file is needed to recognize a generated one: bytes. */
export const signatureBytes = 1024

/**
 * Whether claude-batch wrote this report, estimate or comparison, so that it may replace the file.
 * @param head the first {@link signatureBytes} of the file
 */
export function isGenerated(format: ReportFormat, head: string): boolean {
  return fileSignatures[format].test(head.replace(/^\ufeff/, ''))
}
