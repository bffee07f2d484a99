import type { Prompt } from '../../core/request/render-prompt.ts'
import { UsageError } from '../../errors.ts'
import { findUnusedVar } from './build-prompt.ts'
import { createPromptFileFromData, type PromptFile } from './prompt-file.ts'
import {
  locatePrompt,
  type PromptLocation,
  type PromptLookupOptions,
  readPromptText,
} from './prompt-lookup.ts'

export interface PromptOptions extends PromptLookupOptions {
  /** Names of the variables that the user sets. */
  readonly vars: readonly string[]
  /** The name of the setting for such variables in messages. @default '--var' */
  readonly varSetting?: string
}

/** A prompt file that has been read and checked. */
export interface LoadedPromptFile extends PromptFile {
  readonly location: PromptLocation
}

/**
 * Returns one version of a prompt, which must have a placeholder for every variable; see {@link findPrompt}.
 */
export async function loadPrompt(spec: string, options: PromptOptions): Promise<Prompt> {
  const prompt = await findPrompt(spec, options)
  checkVars([prompt], options)
  return prompt
}

/** Checks that each variable has a placeholder in a prompt. @throws UsageError that names one without */
export function checkVars(
  prompts: readonly Prompt[],
  { vars, varSetting = '--var' }: Pick<PromptOptions, 'vars' | 'varSetting'>,
): void {
  const unused = findUnusedVar(prompts, vars)
  if (unused === undefined) return
  const where = prompts.map(({ origin, version }) => `${origin} ${version}`).join(', ')
  const setting = unused === 'instructions' ? '--instructions' : `${varSetting} ${unused}`
  throw new UsageError(`${setting}: ${where} has no placeholder {${unused}}`)
}

/**
 * Returns one version of a prompt: `summarize`, `summarize@v1`, `./mine.yaml`, `./mine.yaml@v2`. Without a
 * version, it is the file's pinned `default:`, or the highest number.
 * @throws UsageError that names the file, the line if there is one, and what would be right
 */
export async function findPrompt(spec: string, options: PromptOptions): Promise<Prompt> {
  const { target, version } = splitPromptSpec(spec)
  const { vars, varSetting } = options
  return selectVersion(
    spec,
    version,
    await readPromptFile(await locatePrompt(target, options), { spec, version, vars, varSetting }),
  )
}

/** Splits `name@v1` into name and version; the version is undefined if it is not given. */
export function splitPromptSpec(spec: string): {
  readonly target: string
  readonly version: string | undefined
} {
  const [, target = spec, version] = /^(.+?)(?:@(v\d+))?$/.exec(spec) ?? []
  return { target, version }
}

export interface ReadPromptOptions {
  /** The prompt as the user named it, for messages. */
  readonly spec?: string
  /** The version to use; by default, the one that the file selects. */
  readonly version?: string | undefined
  /** Names of allowed placeholders besides the built-in ones; undefined allows any. */
  readonly vars?: readonly string[]
  /** See {@link PromptOptions}. */
  readonly varSetting?: string | undefined
}

/** Reads and checks all versions of a prompt file. @throws UsageError */
export async function readPromptFile(
  place: PromptLocation,
  { spec = place.name, version, vars, varSetting }: ReadPromptOptions = {},
): Promise<LoadedPromptFile> {
  const { name, origin, data } = place
  const context = { name, origin, version, vars, varSetting }
  const read = async () => {
    const { parsePromptFile } = await import('./parse-prompt-file.ts')
    return parsePromptFile(await readPromptText(place, spec), context)
  }
  return {
    location: place,
    ...((data && createPromptFileFromData(data, context)) ?? (await read())),
  }
}

/**
 * Returns the requested version, or the one that the file selects.
 * @throws UsageError if it does not exist
 */
export function selectVersion(
  spec: string,
  version: string | undefined,
  { location: place, prompts, ...file }: LoadedPromptFile,
): Prompt {
  const wantedVersion = version ?? file.default
  const prompt = prompts.find((prompt) => prompt.version === wantedVersion)
  if (prompt === undefined) {
    const known = prompts.map(({ version }) => version).join(', ')
    const owner = place.text === undefined ? place.origin : 'the shipped prompt'
    throw new UsageError(`prompt ${spec}: ${owner} has no version ${wantedVersion}; use one of ${known}`)
  }
  return version === undefined ? prompt : { ...prompt, why: 'requested' }
}
