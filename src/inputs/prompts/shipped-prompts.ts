import { readdirSync, readFileSync } from 'node:fs'
import { resolveAsset } from '../../assets.ts'

const folder = resolveAsset('../prompts')

/**
 * The texts of the shipped prompts, by name, in alphabetical order. The build replaces this module with one
 * that contains the texts (see `scripts/build.js`), because a user's bundler moves the library's code but not
 * its files.
 */
export const shippedPrompts: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .sort()
    .map((file) => [file.replace(/\.yaml$/, ''), readFileSync(new URL(`prompts/${file}`, folder), 'utf8')]),
)
