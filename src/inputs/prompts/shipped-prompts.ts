import { readdirSync, readFileSync } from 'node:fs'
import { resolveAsset } from '../../assets.ts'

const folder = resolveAsset('../prompts')

/**
 * The texts of the shipped prompts, by name, in alphabetical order. The build replaces this module by one that holds
 * the texts (see `scripts/build.js`), because another bundler moves the library's code and not its files.
 */
export const shippedPrompts: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .sort()
    .map((file) => [file.replace(/\.yaml$/, ''), readFileSync(new URL(`prompts/${file}`, folder), 'utf8')]),
)
