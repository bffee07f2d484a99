import { isUtf8 } from 'node:buffer'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { isInside } from '../../core/document/document-path.ts'
import { yamlExtensions } from '../../core/text/yaml-extensions.ts'
import { UsageError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { readSmallFile } from '../read-small-file.ts'
import type { PromptData } from './prompt-file.ts'
import { type ShippedPrompt, shippedPrompts } from './shipped-prompts.ts'

/** The file of a prompt, and its name. */
export interface PromptLocation {
  readonly name: string
  /** Absolute path; for a shipped prompt only a name, because its text is part of the program. */
  readonly file: string
  /** The text of a shipped prompt, and the same as data. */
  readonly text?: string
  readonly data?: PromptData
  /** For messages: `shipped`, or the path as the user knows it. */
  readonly origin: string
  /** The path of another file with this name and another extension; then neither is used. */
  readonly conflictingPath?: string
}

export interface PromptLookupOptions {
  readonly cwd: string
  /** Absolute paths of the inputs. A prompts folder inside one of them is untrusted and not used. */
  readonly inputRoots: readonly string[]
}

/**
 * Finds the file of a prompt. A path is used unchanged; a name is looked up in `prompts/` in the working
 * directory, then among the shipped prompts.
 * @param target a path or name, without a version
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
  const shipped = shippedPrompts.get(target)
  if (shipped !== undefined) return locateShippedPrompt(target, shipped)
  const hint = isTrusted
    ? ''
    : '; prompts/ lies inside an input, so it is used only when named: --prompt ./prompts/…'
  throw new UsageError(
    `prompt ${target}: there is no prompts/${target}.yaml here; create it, or use a shipped prompt (${[...shippedPrompts.keys()].join(', ')})${hint}`,
  )
}

function locateShippedPrompt(name: string, shipped: ShippedPrompt): PromptLocation {
  return { name, file: `${name}.yaml`, origin: 'shipped', ...shipped }
}

/** Returns where a new prompt with this name belongs among the user's own. */
export function locateOwnPrompt(name: string, cwd: string): PromptLocation {
  const file = join(cwd, 'prompts', `${name}.yaml`)
  return { name, file, origin: relative(cwd, file) }
}

/** Returns the prompt with this name in the user's prompts folder; undefined if it does not exist. */
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

/**
 * Returns all prompts that can be used by name: the user's own, then the shipped ones, which the former may
 * hide.
 */
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
  // A name that is not a file, such as a broken link, is listed with the reason why it cannot be used.
  for (const name of await listNames(folder))
    ownLocations.push((await findOwnPrompt(folder, name, cwd)) ?? locateOwnPrompt(name, cwd))
  return [
    ...ownLocations,
    ...Array.from(shippedPrompts, ([name, shipped]) => locateShippedPrompt(name, shipped)),
  ]
}

/**
 * Returns the text of a prompt file.
 * @throws UsageError if it is not a small UTF-8 file, or if another file has its name
 */
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
