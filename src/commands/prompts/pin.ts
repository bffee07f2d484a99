import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Exit, UsageError } from '../../errors.ts'
import { readPromptFile, selectVersion, splitPromptSpec } from '../../inputs/prompts/load-prompt.ts'
import { setPinnedVersion } from '../../inputs/prompts/pin-version.ts'
import { parsePromptFile } from '../../inputs/prompts/prompt-file.ts'
import { locateOwnPrompt, locatePrompt, readPromptText } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'
import { writeFileAtomic } from '../../storage/fs/atomic-write.ts'
import { printMessage } from '../../ui/print-message.ts'

/**
 * Pins a prompt to one of its versions, or with no version takes the pin away. A shipped prompt is copied to `prompts/`
 * first: what is installed would be lost with the next release.
 */
export async function pinPrompt(spec: string, runtime: Runtime): Promise<Exit> {
  const { cwd } = runtime
  const { target, version } = splitPromptSpec(spec)
  const place = await locatePrompt(target, { cwd, inputRoots: [] })
  const before = await readPromptFile(place, { spec })
  const print = (text: string) => printMessage(runtime, text)
  if (version !== undefined) selectVersion(spec, version, before)
  if (version === before.default && before.isPinned) {
    print(`${place.origin} is pinned to ${version} already`)
    return 'ok'
  }
  const text = setPinnedVersion(await readPromptText(place, spec), version)
  if (text === undefined)
    throw new UsageError(
      `${place.origin}: write \`default: ${version ?? 'v1'}\` into it by hand; it is not in block style`,
    )
  const targetPlace = place.origin === 'shipped' ? locateOwnPrompt(place.name, cwd) : place
  const { name, origin } = targetPlace
  const { default: used } = parsePromptFile(text, { name, origin })

  if (targetPlace !== place && (await lstat(targetPlace.file).catch(() => undefined)) !== undefined)
    throw new UsageError(`${origin}: it exists and is not a readable file; move it away`)
  await mkdir(dirname(targetPlace.file), { recursive: true })
  // A link is followed: the file it leads to is what the user keeps.
  const file = await realpath(targetPlace.file).catch(() => targetPlace.file)
  const mode = await stat(file).then(
    (stats) => stats.mode,
    () => undefined,
  )
  await writeFileAtomic(dirname(file), file, text, `${runtime.pid}-pin`)
  if (mode !== undefined) await chmod(file, mode)
  const copied = targetPlace === place ? '' : ' (a copy of the shipped one)'
  const back =
    version === undefined ? ', its latest' : `; claude-batch prompts pin ${name} returns to the latest`
  print(`${origin}${copied}: runs use ${used} from now on${back}`)
  return 'ok'
}
