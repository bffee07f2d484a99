import { resolve } from 'node:path'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document.ts'
import { UsageError } from '../errors.ts'
import type { Input } from '../inputs/find.ts'
import { filesSink } from '../sinks/files.ts'
import { jsonlSink } from '../sinks/jsonl.ts'
import { ordered } from '../sinks/ordered.ts'
import type { Sink } from '../sinks/sink.ts'
import { streamWriter } from '../sinks/stream-writer.ts'
import { textSink } from '../sinks/text.ts'
import type { World } from '../world.ts'

/** The absolute output folder; undefined for stdout, where a single document on stdin goes by itself. */
export function outputFolder(
  inputs: readonly Input[],
  options: SummarizeOptions,
  { cwd }: World,
): string | undefined {
  const onlyStdin = inputs.length === 1 && inputs[0]?.text === '-' && !inputs[0].literal
  const out = options.out ?? (onlyStdin ? '-' : 'summaries')
  if (out === '-') return undefined
  if (options.format !== undefined) throw new UsageError('--format is for stdout; give -o - with it')
  if (options.unordered) throw new UsageError('--unordered is for stdout; give -o - with it')
  return resolve(cwd, out)
}

export async function openSink(
  out: string | undefined,
  sources: readonly Source[],
  options: SummarizeOptions,
  { stdout }: World,
): Promise<Sink> {
  if (out !== undefined) return filesSink(out, sources)
  const write = streamWriter(stdout, 'stdout')
  const sink =
    options.format === 'jsonl'
      ? jsonlSink(write)
      : textSink(write, { headers: sources.length > 1, terminal: stdout.isTTY === true })
  return options.unordered ? sink : ordered(sink)
}
