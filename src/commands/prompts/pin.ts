import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { quoteShellWord } from '../../core/text/quote-shell-word.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { readPromptFile, selectVersion, splitPromptSpec } from '../../inputs/prompts/load-prompt.ts'
import { parsePromptFile } from '../../inputs/prompts/parse-prompt-file.ts'
import { setPinnedVersion } from '../../inputs/prompts/pin-version.ts'
import { locateOwnPrompt, locatePrompt, readPromptText } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'
import { writeFileAtomic } from '../../storage/fs/atomic-write.ts'
import { printMessage } from '../../ui/print-message.ts'

/**
 * Pins a prompt to a version, or removes the pin if the spec has no version. Pins a copy of a shipped prompt
 * in `prompts/`, because the next release would overwrite the shipped file.
 * @throws UsageError
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
      `${place.origin} is not in YAML block style, so it cannot be edited automatically; add \`default: ${version ?? 'v1'}\` by hand`,
    )
  const targetPlace = place.origin === 'shipped' ? locateOwnPrompt(place.name, cwd) : place
  const { name, origin } = targetPlace
  const { default: used } = parsePromptFile(text, { name, origin })

  if (targetPlace !== place && (await lstat(targetPlace.file).catch(() => undefined)) !== undefined)
    throw new UsageError(`${origin} exists and is not a readable file; move it`)
  await mkdir(dirname(targetPlace.file), { recursive: true })
  // The target of a link is edited, so that the link stays.
  const file = await realpath(targetPlace.file).catch(() => targetPlace.file)
  const mode = await stat(file).then(
    (stats) => stats.mode,
    () => undefined,
  )
  await writeFileAtomic(dirname(file), file, text, `${runtime.pid}-pin`)
  if (mode !== undefined) await chmod(file, mode)
  const copyNote = targetPlace === place ? '' : ' (a copy of the shipped one)'
  const undoHint =
    version === undefined
      ? ', its latest'
      : `; claude-batch prompts pin ${quoteShellWord(targetPlace === place ? target : name)} returns to the latest`
  print(`${origin}${copyNote}: runs use ${used} from now on${undoHint}`)
  return 'ok'
}
