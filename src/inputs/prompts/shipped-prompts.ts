import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { resolveAsset } from '../../assets.ts'
import type { PromptData } from './prompt-file.ts'

/** A prompt file of the package: its text, and the same as data, which needs no parser. */
export interface ShippedPrompt {
  readonly text: string
  readonly data: PromptData
}

const folder = resolveAsset('../prompts')

/**
 * The shipped prompts, by name, in alphabetical order. The build replaces this module with one that contains them (see
 * `scripts/build.js`): a user's bundler moves the library's code but not its files, and the parser of YAML is large.
 */
export const shippedPrompts: ReadonlyMap<string, ShippedPrompt> = new Map(
  readdirSync(folder)
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(`prompts/${file}`, folder), 'utf8')
      return [file.replace(/\.yaml$/, ''), { text, data: parse(text) as PromptData }]
    }),
)
