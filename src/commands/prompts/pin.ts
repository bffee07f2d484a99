import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { printable } from '../../core/text/escape-control.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { chosen, parts, readPrompts } from '../../inputs/prompts/load-prompt.ts'
import { pinned } from '../../inputs/prompts/pin-version.ts'
import { parsePromptFile } from '../../inputs/prompts/prompt-file.ts'
import { ownPlace, placeOf, textOf } from '../../inputs/prompts/prompt-lookup.ts'
import type { World } from '../../runtime.ts'
import { writeWhole } from '../../storage/fs/atomic-write.ts'

/**
 * Pins a prompt to one of its versions, or with no version takes the pin away. A shipped prompt is copied to `prompts/`
 * first: what is installed would be lost with the next release.
 */
export async function pinPrompt(spec: string, world: World): Promise<Exit> {
  const { cwd, stderr } = world
  const { target, version } = parts(spec)
  const place = await placeOf(target, { cwd, inputRoots: [] })
  const before = await readPrompts(place, { spec })
  const say = (text: string) => stderr.write(`claude-batch: ${printable(text)}\n`)
  if (version !== undefined) chosen(spec, version, before)
  if (version === before.default && before.pinned) {
    say(`${place.origin} is pinned to ${version} already`)
    return 'ok'
  }
  const text = pinned(await textOf(place, spec), version)
  if (text === undefined)
    throw new UsageError(
      `${place.origin}: write \`default: ${version ?? 'v1'}\` into it by hand; it is not in block style`,
    )
  const own = place.origin === 'shipped' ? ownPlace(place.name, cwd) : place
  const { name, origin } = own
  const { default: used } = parsePromptFile(text, { name, origin })

  if (own !== place && (await lstat(own.file).catch(() => undefined)) !== undefined)
    throw new UsageError(`${origin}: something that is not a readable file is there; move it away`)
  await mkdir(dirname(own.file), { recursive: true })
  // A link is followed: the file it leads to is what the user keeps.
  const file = await realpath(own.file).catch(() => own.file)
  const mode = await stat(file).then(
    (stats) => stats.mode,
    () => undefined,
  )
  await writeWhole(dirname(file), file, text, `${world.pid}-pin`)
  if (mode !== undefined) await chmod(file, mode)
  const copied = own === place ? '' : ' (a copy of the shipped one)'
  const back =
    version === undefined ? ', its latest' : `; claude-batch prompts pin ${name} goes back to the latest`
  say(`${origin}${copied}: runs use ${used} from now on${back}`)
  return 'ok'
}
