import { isUtf8 } from 'node:buffer'
import { stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtinSlots, type Prompt } from '../core/prompt.ts'
import { slotsOf } from '../core/template.ts'
import { UsageError } from '../errors.ts'
import { parsePromptFile } from './prompt-file.ts'
import { reasonOf } from './reason.ts'
import { readSmallFile } from './small-file.ts'

export interface PromptOptions {
  readonly cwd: string
  /** Absolute paths that are summarized: a prompts folder inside one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
  /** Names of the user's own `--var`s. */
  readonly vars: readonly string[]
}

/** The prompts that come with the package. */
const shipped = fileURLToPath(new URL('../../prompts', import.meta.url))

/**
 * Finds one version of a prompt: `summarize`, `summarize@v1`, `./mine.yaml`, `./mine.yaml@v2`. A name is looked for
 * in `prompts/` below the working directory, then among the shipped ones. Without a version, the file's pinned
 * `default:` is taken, or the highest number.
 * @throws UsageError that names the file, the line where there is one, and what would be right
 */
export async function loadPrompt(spec: string, options: PromptOptions): Promise<Prompt> {
  const [, target = spec, version] = /^(.+?)(?:@(v\d+))?$/.exec(spec) ?? []
  const isPath = /[/\\]|\.ya?ml$/i.test(target)
  const { file, origin } = isPath
    ? { file: resolve(options.cwd, target), origin: target }
    : await fileOf(target, options)
  const name = target.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
  const versions = parsePromptFile(await textOf(file, spec), { name, origin, vars: options.vars })
  const chosen = version ?? versions.default
  const prompt = versions.prompts.find((prompt) => prompt.version === chosen)
  if (prompt === undefined) {
    const known = versions.prompts.map(({ version }) => version).join(', ')
    throw new UsageError(`--prompt ${spec}: ${origin} has no version ${chosen}; it has ${known}`)
  }
  const slots = [...slotsOf(prompt.user), ...slotsOf(prompt.system ?? [])]
  const unused = options.vars.find(
    (name) => !slots.includes(name) || builtinSlots.some((slot) => slot === name),
  )
  if (unused !== undefined) {
    throw new UsageError(`--var ${unused}: ${origin} ${chosen} has no slot {${unused}} of its own`)
  }
  return prompt
}

async function fileOf(
  name: string,
  { cwd, inputRoots }: PromptOptions,
): Promise<{ file: string; origin: string }> {
  if (!/^[\w.-]+$/.test(name))
    throw new UsageError(`--prompt ${name}: a name has letters, digits, ., _ and -; versions are @v1, @v2, …`)
  const own = join(cwd, 'prompts', `${name}.yaml`)
  const trusted = !inputRoots.some((root) => isWithin(own, root))
  if (trusted && (await isFile(own))) return { file: own, origin: relative(cwd, own) }
  const ours = join(shipped, `${name}.yaml`)
  if (await isFile(ours)) return { file: ours, origin: 'shipped' }
  const hint = trusted
    ? ''
    : '; prompts/ lies inside an input, so it is used only when named: --prompt ./prompts/…'
  throw new UsageError(
    `--prompt ${name}: no prompts/${name}.yaml here, and none shipped by that name (there is: summarize)${hint}`,
  )
}

async function textOf(file: string, spec: string): Promise<string> {
  const bytes = await readSmallFile(file).catch((error) => {
    throw new UsageError(`--prompt ${spec}: cannot read ${file}: ${reasonOf(error)}`)
  })
  if (!isUtf8(bytes)) throw new UsageError(`--prompt ${spec}: ${file} is not UTF-8`)
  return bytes.toString('utf8')
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

function isWithin(file: string, root: string): boolean {
  const path = relative(root, file)
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}
