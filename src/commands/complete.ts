import { compareFlags } from '../config/compare-flags.ts'
import type { Flag } from '../config/flag.ts'
import { indexFlagsByKey } from '../config/flag-names.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { summarizeFlags } from '../config/summarize-flags.ts'
import { knownModelNames } from '../core/pricing/models.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import type { Exit } from '../errors.ts'
import { readPromptFile } from '../inputs/prompts/load-prompt.ts'
import { listPromptLocations } from '../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../runtime.ts'
import { completionScripts } from './completion.ts'

/** A word that a shell asks to complete. */
export interface CompletionQuery {
  readonly target: CompletionTarget
  /** The part of the value that the user has typed. */
  readonly typed: string
  /** The text before the value in the same word, such as `--model=`. */
  readonly prefix: string
}

/** The kind of word at the end of an incomplete command line. */
type CompletionTarget =
  /** One of these words. */
  | { readonly words: readonly string[] }
  /** A value of a flag of the command; undefined for an unknown one. */
  | { readonly flag: Flag | undefined }
  /** A value of an argument, by its command and index: `pin 0`. */
  | { readonly argument: string }

/** Prints the candidates to complete a command line, one per line. The scripts of `completion` call it. */
export async function complete(
  { target, typed, prefix }: CompletionQuery,
  runtime: Pick<Runtime, 'cwd' | 'env' | 'stdout'>,
): Promise<Exit> {
  // Errors are ignored: an invalid prompt is reported when it is used.
  const { candidates, isList = false }: Candidates =
    'words' in target
      ? { candidates: target.words }
      : await listCandidates(target, runtime).catch(() => ({ candidates: [] }))
  // In a list, only the part after the last comma is completed.
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
  /** Whether the value is a comma-separated list of candidates. */
  readonly isList?: boolean
}

/**
 * Returns the candidates for a flag's value or an argument; none for a file, which the shell completes itself.
 */
async function listCandidates(
  target: Exclude<CompletionTarget, { readonly words: unknown }>,
  runtime: Pick<Runtime, 'cwd' | 'env'>,
): Promise<Candidates> {
  if ('argument' in target) return { candidates: await listArguments(target.argument, runtime.cwd) }
  const { parse, completes, isList = false }: Partial<Flag> = target.flag ?? {}
  const { schema } = parse ?? {}
  if (completes === undefined) return { candidates: schema?.enum ?? schema?.items?.enum ?? [], isList }
  const listNames = {
    model: () => knownModelNames,
    prompt: () => listPromptNames(runtime.cwd),
    profile: () => listProfileNames(runtime),
  }
  return { candidates: await listNames[completes](), isList }
}

function listArguments(argument: string, cwd: string): Promise<string[]> | string[] {
  if (argument === 'completion 0') return Object.keys(completionScripts)
  return promptArguments.has(argument) ? listPromptNames(cwd) : []
}

/** The arguments that are prompts: names of `prompts` subcommands with an argument index. */
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
  // The file's owner is not checked, because only names of profiles are used.
  const located = await locateConfig({ cwd, env, inputRoots: [], uid: undefined, onSkipped: () => {} })
  const known = indexFlagsByKey(compareFlags, serveFlags, summarizeFlags)
  const files = await Promise.all(located.map((file) => readConfig(file, known, cwd, env)))
  return [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))]
}
