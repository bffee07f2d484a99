import { type Command, Help, type HelpConfiguration, type Option } from 'commander'

/** What the help shows, and where. */
export interface HelpOptions {
  /** The width of the terminal, in characters. */
  readonly columns: number
  /** Whether all options are shown, and not only those that most people use. */
  readonly showsAll: boolean
}

/** Below this width, explanations are below what they explain. */
const minColumnsForTwoColumns = 72

/** Returns the settings of commander's help: which options it lists, and its layout in a narrow terminal. */
export function createHelpSettings({ columns, showsAll }: HelpOptions): HelpConfiguration {
  const defaults = new Help()
  return {
    helpWidth: columns,
    minWidthToWrap: 20,
    // Called only before help is shown: commander also reads `visibleOptions` to suggest a name for a mistyped option.
    prepareContext(context) {
      const help = this as Help
      defaults.prepareContext.call(help, context)
      if (showsAll) return
      help.visibleOptions = (command) =>
        defaults.visibleOptions.call(help, command).filter((option) => !rareOptions.has(option))
    },
    formatItem(term, termWidth, description, helper) {
      return columns < minColumnsForTwoColumns
        ? formatStacked(term, description, columns)
        : defaults.formatItem.call(helper, term, termWidth, description, helper)
    },
  }
}

/** Options that only the complete help lists. */
const rareOptions = new WeakSet<Option>()

/** Leaves an option out of the short help. */
export function markAsRare(option: Option): void {
  rareOptions.add(option)
}

/** Returns how many options the short help of a command leaves out. */
export function countRareOptions(command: Command): number {
  return command.options.filter((option) => rareOptions.has(option)).length
}

/**
 * Returns a list of terms and explanations under a heading. In a narrow terminal, each explanation is below its
 * term.
 */
export function formatRows(
  heading: string,
  rows: readonly (readonly [term: string, explanation: string])[],
  columns: number,
): string {
  if (columns < minColumnsForTwoColumns) return formatStackedRows(heading, rows, columns)
  const width = Math.max(...rows.map(([term]) => term.length))
  const helper = createHelper(columns)
  const lines = rows.map(([term, text]) => `${helper.formatItem(term, width + 1, text, helper)}\n`)
  return `${heading}\n${lines.join('')}`
}

/** Returns a text, wrapped at spaces. */
export function wrapText(text: string, columns: number): string {
  return createHelper(columns).boxWrap(text, columns)
}

/** Returns a list with each explanation below its term. */
export function formatStackedRows(
  heading: string,
  rows: readonly (readonly [term: string, explanation: string])[],
  columns: number,
): string {
  return `${heading}\n${rows.map(([term, text]) => `${formatStacked(term, text, columns)}\n`).join('')}`
}

function createHelper(columns: number): Help {
  return Object.assign(new Help(), { helpWidth: columns, minWidthToWrap: 10 })
}

function formatStacked(term: string, description: string, columns: number): string {
  const helper = createHelper(columns)
  const wrap = (text: string, indent: number) =>
    helper
      .boxWrap(text, columns - indent)
      .split('\n')
      .map((line) => ' '.repeat(indent) + line)
      .join('\n')
  return description === '' ? wrap(term, 2) : `${wrap(term, 2)}\n${wrap(description, 6)}`
}
