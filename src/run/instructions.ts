import { resolve } from 'node:path'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { UsageError } from '../errors.ts'
import { describeFsError } from '../inputs/describe-fs-error.ts'
import { readSmallFile } from '../inputs/read-small-file.ts'

/** The options that `--instructions` sets. */
type PromptSettings = Pick<SummarizeOptions, 'prompt'> & Partial<Pick<SummarizeOptions, 'var'>>

/** The name of the shipped prompt for instructions, and of its placeholder. */
const instructionsName = 'instructions'

/** The prompt that `--instructions` replaces, because no other one was chosen. */
const defaultPrompt = 'summarize'

/**
 * Returns the prompt and its variables as `--instructions` sets them: the instructions are the value of
 * `{instructions}` in the shipped prompt of this name, or in the prompt that the user chose.
 * @param instructions a text, or `@` and the path of a file with the text
 * @throws UsageError if the text is empty or the file cannot be read
 */
export async function applyInstructions<Options extends PromptSettings>(
  options: Options,
  instructions: string,
  cwd: string,
): Promise<Options> {
  const text = instructions.startsWith('@')
    ? await readInstructions(instructions.slice(1), cwd)
    : instructions.trim()
  if (text === '') throw new UsageError(`--instructions ${instructions}: there is no text`.trim())
  return {
    ...options,
    prompt: options.prompt === defaultPrompt ? instructionsName : options.prompt,
    var: { ...options.var, [instructionsName]: text },
  }
}

async function readInstructions(path: string, cwd: string): Promise<string> {
  try {
    const bytes = await readSmallFile(resolve(cwd, path))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim()
  } catch (error) {
    const reason = error instanceof TypeError ? 'not UTF-8' : describeFsError(error as NodeJS.ErrnoException)
    throw new UsageError(`--instructions @${path}: ${reason}`)
  }
}
