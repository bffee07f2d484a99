import { countDocuments, type Prompt } from '../core/request/render-prompt.ts'
import { CommandLineError } from '../errors.ts'

/** Checks that a prompt sends its document once. @throws CommandLineError otherwise */
export function checkCitable({ name, version, user }: Prompt): void {
  const places = countDocuments(user)
  if (places > 1)
    throw new CommandLineError(
      `--citations: ${name}@${version} has {text} ${places} times; a document can be cited only if it is sent once`,
    )
}
