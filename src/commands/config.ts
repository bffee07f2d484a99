import type { Flag } from '../config/flag.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/flags.ts'
import { keyOf } from '../config/key.ts'
import { printable } from '../core/text/escape-control.ts'
import type { Exit } from '../errors.ts'
import type { World } from '../runtime.ts'

/**
 * Shows the settings of a run as a configuration file would have them, and where each comes from.
 * @param originOf `cli`, `default`, or where else it was found; undefined: it has no value
 */
export function showConfig(
  options: SummarizeOptions,
  originOf: (name: string) => string | undefined,
  { stdout }: World,
): Exit {
  const rows: [string, string][] = []
  for (const [name, flag] of Object.entries(summarizeFlags)) {
    const given = options[name as keyof SummarizeOptions]
    const origin = originOf(name)
    if (origin === undefined || name === 'config' || name === 'profile') continue
    const { written = (value: unknown) => value } = flag as Flag
    const value = written(given as never)
    // JSON is YAML, too.
    rows.push([
      `${keyOf(flag)}: ${typeof value === 'string' && /^[\w./@-]+$/.test(value) ? value : JSON.stringify(value)}`,
      origin === 'cli' ? 'command line' : origin,
    ])
  }
  const width = Math.max(...rows.map(([text]) => Math.min(text.length, 40)))
  for (const [text, origin] of rows)
    stdout.write(`${printable(text).padEnd(width)}  # ${printable(origin)}\n`)
  return 'ok'
}
