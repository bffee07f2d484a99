import { compareFlags } from '../config/compare-flags.ts'
import type { Flag } from '../config/flag.ts'
import { indexFlagsByKey } from '../config/flag-names.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { simulateFlags } from '../config/simulate-flags.ts'
import { summarizeFlags } from '../config/summarize-flags.ts'
import { knownModelNames } from '../core/pricing/models.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import type { Exit } from '../errors.ts'
import { readPromptFile } from '../inputs/prompts/load-prompt.ts'
import { listPromptLocations } from '../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../runtime.ts'
import { completionScripts } from './completion.ts'

/** What a shell is to complete. */
export interface CompletionQuery {
  readonly target: CompletionTarget
  /** What is there of it already. */
  readonly typed: string
  /** What stands before it in the same word: `--model=`. */
  readonly prefix: string
}

/** What may stand at the end of a command line that is being typed. */
type CompletionTarget =
  /** One of these words. */
  | { readonly words: readonly string[] }
  /** A value: of the option of that name, or of an argument, by its command and place: `pin 0`. */
  | { readonly value: string }

/** Prints the words that may complete a command line, one a line: what the scripts of `completion` call. */
export async function complete(
  { target, typed, prefix }: CompletionQuery,
  runtime: Pick<Runtime, 'cwd' | 'env' | 'stdout'>,
): Promise<Exit> {
  // A shell asks at each key; mistakes in a prompt are reported when it is used.
  const { candidates, isList = false }: Candidates =
    'words' in target
      ? { candidates: target.words }
      : await listCandidates(target.value, runtime).catch(() => ({ candidates: [] }))
  // Of a list, only what follows the last comma is completed.
  const listPrefix = isList ? typed.replace(/[^,]*$/, '') : ''
  for (const candidate of candidates) {
    const line = prefix + listPrefix + candidate
    if (line.startsWith(prefix + typed) && line === escapeControlChars(line))
      runtime.stdout.write(`${line}\n`)
  }
  return 'ok'
}

interface Candidates {
  readonly candidates: readonly string[]
  /** The value is a comma-separated list of them. */
  readonly isList?: boolean
}

/**
 * Returns the words that may complete an option's value or an argument; none where it is a file, which shells know best.
 * @param value the option's name without dashes, or a command's name and the index of its argument: `pin 0`
 */
async function listCandidates(value: string, runtime: Pick<Runtime, 'cwd' | 'env'>): Promise<Candidates> {
  if (value === 'completion 0') return { candidates: Object.keys(completionScripts) }
  if (promptArguments.has(value)) return { candidates: await listPromptNames(runtime.cwd) }
  const {
    parse,
    completes,
    isList = false,
  }: Partial<Flag> = indexFlagsByKey(simulateFlags, serveFlags, compareFlags, summarizeFlags).get(value) ?? {}
  const { schema } = parse ?? {}
  if (completes === undefined) return { candidates: schema?.enum ?? schema?.items?.enum ?? [], isList }
  const listNames = {
    model: () => knownModelNames,
    prompt: () => listPromptNames(runtime.cwd),
    profile: () => listProfileNames(runtime),
  }
  return { candidates: await listNames[completes](), isList }
}

/** The arguments that are prompts: the commands' names and the index. */
const promptArguments: ReadonlySet<string> = new Set(['show 0', 'check 0', 'pin 0', 'diff 0', 'diff 1'])

async function listPromptNames(cwd: string): Promise<string[]> {
  const names: string[] = []
  for (const place of await listPromptLocations(cwd)) {
    if (names.includes(place.name)) continue
    const { prompts } = await readPromptFile(place).catch(() => ({ prompts: [] }))
    names.push(place.name, ...prompts.map(({ version }) => `${place.name}@${version}`))
  }
  return names
}

async function listProfileNames({ cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<string[]> {
  const [{ locateConfig }, { readConfig }] = await Promise.all([
    import('../config/locate-config.ts'),
    import('../config/read-config.ts'),
  ])
  // The owner of a file does not matter here: nothing but names is used.
  const located = await locateConfig({ cwd, env, inputRoots: [], uid: undefined, onSkipped: () => {} })
  const known = indexFlagsByKey(compareFlags, serveFlags, summarizeFlags)
  const files = await Promise.all(located.map((file) => readConfig(file, known, cwd)))
  return [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))]
}
