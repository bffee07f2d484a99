import { createTwoFilesPatch } from 'diff'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { CommandLineError, type Exit } from '../../errors.ts'
import { readPromptFile, selectVersion, splitPromptSpec } from '../../inputs/prompts/load-prompt.ts'
import { locatePrompt } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'
import { createColors } from '../../ui/colors.ts'
import { formatPrompt } from './show.ts'

/**
 * Prints a unified diff of two versions of a prompt.
 * @param to a prompt, or only a version (`summarize@v1 v2`); defaults to the version in use
 * @throws UsageError
 */
export async function diffPrompts(from: string, to: string | undefined, runtime: Runtime): Promise<Exit> {
  const { stdout, env } = runtime
  const { target, version } = splitPromptSpec(from)
  if (to === undefined && version === undefined)
    throw new CommandLineError(`name two versions (for example: claude-batch prompts diff ${from}@v1 v2)`)
  const second = to === undefined ? target : /^v\d+$/.test(to) ? `${target}@${to}` : to
  const [before, after] = [await loadPromptText(from, runtime), await loadPromptText(second, runtime)]
  const patch = createTwoFilesPatch(before.name, after.name, before.text, after.text, '', '', { context: 3 })
  const paint = createColors(stdout, env)
  const lines = patch.split('\n').slice(1, -1)
  for (const line of before.text === after.text ? [] : lines) {
    const displayLine = escapeControlChars(line, '\t')
    stdout.write(
      `${line.startsWith('+') ? paint.green(displayLine) : line.startsWith('-') ? paint.red(displayLine) : displayLine}\n`,
    )
  }
  return 'ok'
}

async function loadPromptText(
  spec: string,
  { cwd }: Runtime,
): Promise<{ readonly name: string; readonly text: string }> {
  const { target, version } = splitPromptSpec(spec)
  const prompt = selectVersion(
    spec,
    version,
    await readPromptFile(await locatePrompt(target, { cwd, inputRoots: [] }), { spec }),
  )
  return { name: `${prompt.name}@${prompt.version}`, text: formatPrompt(prompt) }
}
