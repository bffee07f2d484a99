import { createTwoFilesPatch } from 'diff'
import { printable } from '../../core/text/escape-control.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { chosen, parts, readPrompts } from '../../inputs/prompts/load-prompt.ts'
import { placeOf } from '../../inputs/prompts/prompt-lookup.ts'
import type { World } from '../../runtime.ts'
import { paintFor } from '../../ui/paint.ts'
import { written } from './show.ts'

/**
 * Shows in what two versions differ, as a unified diff. The second may be a version alone (`summarize@v1 v2`), or left
 * out: then it is the one in use.
 */
export async function diffPrompts(from: string, to: string | undefined, world: World): Promise<Exit> {
  const { stdout, env } = world
  const { target, version } = parts(from)
  if (to === undefined && version === undefined)
    throw new UsageError(`name two versions, for example: claude-batch prompts diff ${from}@v1 v2`)
  const second = to === undefined ? target : /^v\d+$/.test(to) ? `${target}@${to}` : to
  const [before, after] = [await textOf(from, world), await textOf(second, world)]
  const patch = createTwoFilesPatch(before.name, after.name, before.text, after.text, '', '', { context: 3 })
  const paint = paintFor(stdout, env)
  const lines = patch.split('\n').slice(1, -1)
  for (const line of before.text === after.text ? [] : lines) {
    const shown = printable(line, '\t')
    stdout.write(
      `${line.startsWith('+') ? paint.green(shown) : line.startsWith('-') ? paint.red(shown) : shown}\n`,
    )
  }
  return 'ok'
}

async function textOf(
  spec: string,
  { cwd }: World,
): Promise<{ readonly name: string; readonly text: string }> {
  const { target, version } = parts(spec)
  const prompt = chosen(
    spec,
    version,
    await readPrompts(await placeOf(target, { cwd, inputRoots: [] }), { spec }),
  )
  return { name: `${prompt.name}@${prompt.version}`, text: written(prompt) }
}
