import type { Prompt } from '../../core/request/render-prompt.ts'
import { type BuildPromptOptions, buildPrompt, type PromptFields } from './build-prompt.ts'

/** The content of a prompt file. */
export interface PromptFile {
  /** The versions, sorted by number. */
  readonly prompts: readonly Prompt[]
  /** The version that is used if none is requested. */
  readonly default: string
  readonly isPinned: boolean
}

export interface PromptContext {
  readonly name: string
  readonly origin: string
  /** The version to use; by default, the one that the file selects. */
  readonly version?: string | undefined
  /**
   * Names of allowed placeholders besides the built-in ones; undefined allows any. Other versions may have
   * any.
   */
  readonly vars?: readonly string[] | undefined
  /** The name of the setting for the user's variables in messages. @default '--var' */
  readonly varSetting?: string | undefined
}

/** The key of each field in a file. */
export const promptKeys = {
  system: 'system',
  user: 'user_template',
  description: 'description',
  model: 'model',
  maxTokens: 'max_tokens',
  effort: 'effort',
  schema: 'schema',
  citations: 'citations',
} as const satisfies PromptFields<string>

/** One version of a file, and how to report what is wrong with it. */
export interface PromptVersion extends Pick<BuildPromptOptions, 'fail'> {
  readonly version: string
  readonly fields: PromptFields
}

/**
 * Builds all prompts of a file, and checks the placeholders of the one that is used.
 * @param versions at least one
 * @param pin the version that the file pins, one of its versions; undefined without `default:`
 */
export function createPromptFile(
  versions: readonly PromptVersion[],
  pin: string | undefined,
  { name, origin, version: requested, vars, varSetting = '--var' }: PromptContext,
): PromptFile {
  const build = ({ version, fields, fail }: PromptVersion, vars: PromptContext['vars']) =>
    buildPrompt(fields, { names: promptKeys, version, vars, varSetting, fail })
  const why = pin === undefined ? 'latest' : 'pinned'
  const prompts = versions
    .map((it): Prompt => ({ name, version: it.version, origin, ...build(it, undefined), why }))
    .sort((a, b) => toVersionNumber(a) - toVersionNumber(b))
  const defaultVersion = pin ?? (prompts.at(-1)?.version as string)
  const selected = versions.find(({ version }) => version === (requested ?? defaultVersion))
  if (selected !== undefined) build(selected, vars)
  return { prompts, default: defaultVersion, isPinned: pin !== undefined }
}

function toVersionNumber({ version }: { readonly version: string }): number {
  return Number(version.slice(1))
}

/** A prompt file as data. */
export interface PromptData {
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly default?: string
}

/**
 * Builds the prompts of a file that is known to be correct, without a parser of YAML.
 * @returns undefined if a placeholder is wrong for the variables of the user: the parser reports the line
 */
export function createPromptFileFromData(data: PromptData, context: PromptContext): PromptFile | undefined {
  const misfit = new Error('a placeholder is wrong')
  const fail = () => {
    throw misfit
  }
  const versions = Object.entries(data.versions).map(([version, values]) => {
    const fields = Object.entries(promptKeys).map(([field, key]) => [field, values[key]])
    return { version, fields: Object.fromEntries(fields) as PromptFields, fail }
  })
  try {
    return createPromptFile(versions, data.default, context)
  } catch (error) {
    if (error === misfit) return undefined
    throw error
  }
}
