import type { Flag } from '../config/flag.ts'
import { getConfigKey } from '../config/flag-names.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/summarize-flags.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import type { Exit } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Prints the effective settings in the syntax of the configuration file, each with its origin.
 * @param getOrigin returns `cli`, `default` or the file or variable that sets a value; undefined if it has no
 * value
 */
export function showConfig(
  options: SummarizeOptions,
  getOrigin: (name: string) => string | undefined,
  { stdout }: Runtime,
): Exit {
  const rows: [string, string][] = []
  for (const [name, flag] of Object.entries(summarizeFlags)) {
    const optionValue = options[name as keyof SummarizeOptions]
    const origin = getOrigin(name)
    if (origin === undefined || name === 'config' || name === 'profile') continue
    const { toConfigValue = (value: unknown) => value } = flag as Flag
    const value = toConfigValue(optionValue as never)
    // JSON is valid YAML.
    rows.push([
      `${getConfigKey(flag)}: ${typeof value === 'string' && /^[\w./@-]+$/.test(value) ? value : JSON.stringify(value)}`,
      origin === 'cli' ? 'command line' : origin,
    ])
  }
  const width = Math.max(...rows.map(([text]) => Math.min(text.length, 40)))
  for (const [text, origin] of rows)
    stdout.write(`${escapeControlChars(text).padEnd(width)}  # ${escapeControlChars(origin)}\n`)
  return 'ok'
}
