import { isUtf8 } from 'node:buffer'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isWithin } from '../core/source-path.ts'
import { UsageError } from '../errors.ts'
import { shipped } from '../shipped.ts'
import { reasonOf } from './reason.ts'
import { readSmallFile } from './small-file.ts'

/** A prompt's file, and what it is called. */
export interface PromptPlace {
  readonly name: string
  /** Absolute. */
  readonly file: string
  /** For people: `shipped`, or the path as they know it. */
  readonly origin: string
}

export interface PlaceOptions {
  readonly cwd: string
  /** Absolute paths that are summarized: a prompts folder inside one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
}

/** The prompts that come with the package. */
const shippedPrompts = fileURLToPath(shipped('../prompts'))

/**
 * Finds the file of a prompt. A path is taken as it is; a name is looked for in `prompts/` below the working directory,
 * then among the shipped ones.
 * @param target without a version
 * @throws UsageError
 */
export async function placeOf(target: string, { cwd, inputRoots }: PlaceOptions): Promise<PromptPlace> {
  if (/[/\\]|\.ya?ml$/i.test(target)) {
    const name = target.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
    return { name, file: resolve(cwd, target), origin: target }
  }
  if (!/^[\w.-]+$/.test(target))
    throw new UsageError(`prompt ${target}: a name has letters, digits, ., _ and -; versions are @v1, @v2, …`)
  const own = ownPlace(target, cwd)
  const trusted = !inputRoots.some((root) => isWithin(own.file, root))
  if (trusted && (await isFile(own.file))) return own
  const ours = { name: target, file: join(shippedPrompts, `${target}.yaml`), origin: 'shipped' }
  if (await isFile(ours.file)) return ours
  const hint = trusted
    ? ''
    : '; prompts/ lies inside an input, so it is used only when named: --prompt ./prompts/…'
  throw new UsageError(
    `prompt ${target}: no prompts/${target}.yaml here, and none shipped by that name (there is: summarize)${hint}`,
  )
}

/** Where a prompt of that name is, or would be, among the user's own. */
export function ownPlace(name: string, cwd: string): PromptPlace {
  const file = join(cwd, 'prompts', `${name}.yaml`)
  return { name, file, origin: relative(cwd, file) }
}

/** All prompts that can be used by their names: the user's own, then the shipped ones, which those may hide. */
export async function allPlaces(cwd: string): Promise<PromptPlace[]> {
  const namesIn = async (folder: string) =>
    (await readdir(folder).catch(() => []))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.slice(0, -'.yaml'.length))
      .sort()
  const own = (await namesIn(join(cwd, 'prompts'))).map((name) => ownPlace(name, cwd))
  const ours = (await namesIn(shippedPrompts)).map((name) => ({
    name,
    file: join(shippedPrompts, `${name}.yaml`),
    origin: 'shipped',
  }))
  return [...own, ...ours.filter(({ file }) => own.every((place) => place.file !== file))]
}

/** @throws UsageError where it is not a small file of UTF-8 text */
export async function textOf({ file }: PromptPlace, spec: string): Promise<string> {
  const bytes = await readSmallFile(file).catch((error) => {
    throw new UsageError(`prompt ${spec}: cannot read ${file}: ${reasonOf(error)}`)
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
