import { isUtf8 } from 'node:buffer'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { isInside } from '../../core/document/document-path.ts'
import { yamlExtensions } from '../../core/text/yaml-extensions.ts'
import { UsageError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { readSmallFile } from '../read-small-file.ts'
import { shippedPrompts } from './shipped-prompts.ts'

/** A prompt's file, and what it is called. */
export interface PromptLocation {
  readonly name: string
  /** Absolute; of a shipped prompt, only its name, as its text is part of the program. */
  readonly file: string
  /** The text of a shipped prompt. */
  readonly text?: string
  /** For people: `shipped`, or the path as they know it. */
  readonly origin: string
  /** The path of another file of that name with another extension: then neither is used. */
  readonly conflictingPath?: string
}

export interface PromptLookupOptions {
  readonly cwd: string
  /** Absolute paths that are summarized: a prompts folder inside one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
}

/**
 * Finds the file of a prompt. A path is taken as it is; a name is looked for in `prompts/` below the working directory,
 * then among the shipped ones.
 * @param target without a version
 * @throws UsageError
 */
export async function locatePrompt(
  target: string,
  { cwd, inputRoots }: PromptLookupOptions,
): Promise<PromptLocation> {
  if (/[/\\]|\.ya?ml$/i.test(target)) {
    const name = target.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
    return { name, file: resolve(cwd, target), origin: target }
  }
  if (!/^[\w.-]+$/.test(target))
    throw new UsageError(`prompt ${target}: a name has letters, digits, ., _ and -; versions are @v1, @v2, …`)
  const folder = join(cwd, 'prompts')
  const isTrusted = !inputRoots.some((root) => isInside(join(folder, `${target}.yaml`), root))
  const ownPrompt = isTrusted ? await findOwnPrompt(folder, target, cwd) : undefined
  if (ownPrompt !== undefined) return ownPrompt
  const text = shippedPrompts.get(target)
  if (text !== undefined) return locateShippedPrompt(target, text)
  const hint = isTrusted
    ? ''
    : '; prompts/ lies inside an input, so it is used only when named: --prompt ./prompts/…'
  throw new UsageError(
    `prompt ${target}: no prompts/${target}.yaml here, and none of the shipped prompts has that name (${[...shippedPrompts.keys()].join(', ')})${hint}`,
  )
}

function locateShippedPrompt(name: string, text: string): PromptLocation {
  return { name, file: `${name}.yaml`, origin: 'shipped', text }
}

/** Where a new prompt of that name belongs among the user's own. */
export function locateOwnPrompt(name: string, cwd: string): PromptLocation {
  const file = join(cwd, 'prompts', `${name}.yaml`)
  return { name, file, origin: relative(cwd, file) }
}

/** The prompt of that name in the user's folder of prompts; undefined where there is none. */
async function findOwnPrompt(folder: string, name: string, cwd: string): Promise<PromptLocation | undefined> {
  const files: string[] = []
  for (const extension of yamlExtensions) {
    const file = join(folder, name + extension)
    if (await isFile(file)) files.push(file)
  }
  const [file, other] = files
  if (file === undefined) return undefined
  const location = { name, file, origin: relative(cwd, file) }
  const isAmbiguous = other !== undefined && (await realpath(file)) !== (await realpath(other))
  return isAmbiguous ? { ...location, conflictingPath: relative(cwd, other) } : location
}

/** All prompts that can be used by their names: the user's own, then the shipped ones, which those may hide. */
export async function listPromptLocations(cwd: string): Promise<PromptLocation[]> {
  const listNames = async (folder: string) => {
    const files = await readdir(folder).catch(() => [])
    const names = files.flatMap((file) => {
      const extension = yamlExtensions.find((extension) => file.endsWith(extension))
      return extension === undefined ? [] : [file.slice(0, -extension.length)]
    })
    return [...new Set(names)].sort()
  }
  const folder = join(cwd, 'prompts')
  const ownLocations: PromptLocation[] = []
  // A name that is no file, such as a link that leads nowhere, is listed with the reason why it cannot be used.
  for (const name of await listNames(folder))
    ownLocations.push((await findOwnPrompt(folder, name, cwd)) ?? locateOwnPrompt(name, cwd))
  return [...ownLocations, ...Array.from(shippedPrompts, ([name, text]) => locateShippedPrompt(name, text))]
}

/** @throws UsageError where it is not a small file of UTF-8 text, or where there are two files of its name */
export async function readPromptText(
  { file, origin, conflictingPath, text }: PromptLocation,
  spec: string,
): Promise<string> {
  if (text !== undefined) return text
  if (conflictingPath !== undefined)
    throw new UsageError(
      `prompt ${spec}: there are two files, ${origin} and ${conflictingPath}; remove one of them`,
    )
  const bytes = await readSmallFile(file).catch((error) => {
    throw new UsageError(`prompt ${spec}: cannot read ${file}: ${describeFsError(error)}`)
  })
  if (!isUtf8(bytes)) throw new UsageError(`prompt ${spec}: ${file} is not UTF-8`)
  return bytes.toString('utf8')
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  )
}
