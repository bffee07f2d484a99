import type { InputProblem } from '../core/document.ts'
import { recordSuffix, summarySuffix } from '../core/output-path.ts'

/** The name of the document that a summary or record of ours is about; undefined for any other file. */
export function documentOf(name: string): string | undefined {
  if (name.endsWith(summarySuffix)) return name.slice(0, -summarySuffix.length)
  // A record is called after a file with an extension; `build.error.txt` is somebody's own.
  return name.endsWith(recordSuffix) && /\..+\.error\.txt$/.test(name)
    ? name.slice(0, -recordSuffix.length)
    : undefined
}

/** What such a file is told as, wherever it is met and even where a shell's pattern named it. */
export const earlierOutput: InputProblem = {
  as: 'skip',
  type: 'earlier_output',
  message: 'by its name, the output of an earlier run',
}
