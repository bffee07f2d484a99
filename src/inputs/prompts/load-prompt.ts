import { builtinPlaceholders, type Prompt } from '../../core/request/render-prompt.ts'
import { listPlaceholders } from '../../core/request/template.ts'
import { UsageError } from '../../errors.ts'
import { type PromptFile, parsePromptFile } from './prompt-file.ts'
import {
  locatePrompt,
  type PromptLocation,
  type PromptLookupOptions,
  readPromptText,
} from './prompt-lookup.ts'

export interface PromptOptions extends PromptLookupOptions {
  /** Names of the user's own variables. */
  readonly vars: readonly string[]
  /** What messages call a variable of the user; `--var`, if left out. */
  readonly varSetting?: string
}

/** One prompt's file, read and checked. */
export interface LoadedPromptFile extends PromptFile {
  readonly location: PromptLocation
}

/** Finds one version of a prompt in which every variable of the user has a placeholder; see {@link findPrompt}. */
export async function loadPrompt(spec: string, options: PromptOptions): Promise<Prompt> {
  const prompt = await findPrompt(spec, options)
  checkVars([prompt], options)
  return prompt
}

/** @throws UsageError where a variable would be filled in nowhere */
export function checkVars(
  prompts: readonly Prompt[],
  { vars, varSetting = '--var' }: Pick<PromptOptions, 'vars' | 'varSetting'>,
): void {
  const ownSlots = new Set(
    prompts.flatMap(({ user, system = [] }) => [...listPlaceholders(user), ...listPlaceholders(system)]),
  )
  for (const slot of builtinPlaceholders) ownSlots.delete(slot)
  const unused = vars.find((name) => !ownSlots.has(name))
  if (unused === undefined) return
  const where = prompts.map(({ origin, version }) => `${origin} ${version}`).join(', ')
  throw new UsageError(`${varSetting} ${unused}: ${where} has no placeholder {${unused}}`)
}

/**
 * Finds one version of a prompt: `summarize`, `summarize@v1`, `./mine.yaml`, `./mine.yaml@v2`. Without a version, the
 * file's pinned `default:` is taken, or the highest number.
 * @throws UsageError that names the file, the line where there is one, and what would be right
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

/** Without a version, it is undefined. */
export function splitPromptSpec(spec: string): {
  readonly target: string
  readonly version: string | undefined
} {
  const [, target = spec, version] = /^(.+?)(?:@(v\d+))?$/.exec(spec) ?? []
  return { target, version }
}

export interface ReadPromptOptions {
  /** As the user named it, for messages. */
  readonly spec?: string
  /** The version that is to be used; undefined: the one the file says. */
  readonly version?: string | undefined
  /** Names of placeholders besides the built-in ones; undefined: any. */
  readonly vars?: readonly string[]
  /** See {@link PromptOptions}. */
  readonly varSetting?: string | undefined
}

/** Reads a prompt's file, all versions of it. @throws UsageError */
export async function readPromptFile(
  place: PromptLocation,
  { spec = place.name, version, vars, varSetting }: ReadPromptOptions = {},
): Promise<LoadedPromptFile> {
  const { name, origin } = place
  return {
    location: place,
    ...parsePromptFile(await readPromptText(place, spec), { name, origin, version, vars, varSetting }),
  }
}

/** The version that is asked for, or else the one to use. @throws UsageError where it is not there */
export function selectVersion(
  spec: string,
  version: string | undefined,
  { location: place, prompts, ...file }: LoadedPromptFile,
): Prompt {
  const wantedVersion = version ?? file.default
  const prompt = prompts.find((prompt) => prompt.version === wantedVersion)
  if (prompt === undefined) {
    const known = prompts.map(({ version }) => version).join(', ')
    throw new UsageError(`prompt ${spec}: ${place.origin} has no version ${wantedVersion}; it has ${known}`)
  }
  return version === undefined ? prompt : { ...prompt, why: 'requested' }
}
