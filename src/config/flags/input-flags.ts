import { defaultExtensions } from '../default-extensions.ts'
import type { Flag } from '../flag.ts'
import {
  choice,
  convertCommands,
  type ExcludePattern,
  encoding,
  extensions,
  patterns,
  resolvePatternsIn,
  text,
} from '../flag-parsers.ts'

const extensionExamples = [
  'md',
  'txt',
  'html',
  'pdf',
  'docx',
] as const satisfies (typeof defaultExtensions)[number][]

/** Flags that select the documents and how they are read. */
export const inputFlags = {
  filesFrom: {
    group: 'Inputs',
    syntax: '--files-from <file>',
    help: 'read input paths from a file, one per line (- for stdin); a missing path gets an error record',
    parse: text,
    path: 'always',
  },
  null: {
    group: 'Inputs',
    syntax: '-0, --null',
    help: 'paths in --files-from end with NUL instead of newline, as find -print0 writes them',
  },
  ext: {
    isCommon: true,
    group: 'Inputs',
    syntax: '--ext <list>',
    help: `comma-separated extensions to read from directories, or changes of the default list: +json,-csv (default: ${extensionExamples.join(', ')} and ${defaultExtensions.length - extensionExamples.length} others)`,
    isList: true,
    parse: extensions,
  },
  encoding: {
    group: 'Inputs',
    syntax: '--encoding <name>',
    help: 'encoding of files that are not UTF-8, e.g. windows-1252; auto detects it (default: such files fail)',
    parse: encoding,
  },
  pdf: {
    group: 'Inputs',
    syntax: '--pdf <how>',
    help: 'auto: extract text, upload scanned pages; text: never upload; native: upload every PDF (more expensive)',
    default: 'auto',
    parse: choice(['auto', 'text', 'native']),
  },
  convert: {
    group: 'Inputs',
    syntax: '--convert <ext=command>',
    help: 'program that prints the text of files with this extension, with {} for the path, e.g. "heic=heif-text {}"; runs without a shell; repeatable',
    parse: convertCommands,
    requiresTrust: true,
  },
  exclude: {
    isCommon: true,
    group: 'Inputs',
    syntax: '--exclude <pattern>',
    help: 'skip files and folders that match this pattern, e.g. drafts/ or *.draft.md; repeatable',
    parse: patterns,
    toConfigValue: (given: readonly ExcludePattern[]) => given.map(({ pattern }) => pattern),
    resolveIn: resolvePatternsIn,
    accumulates: true,
  },
  hidden: { group: 'Inputs', syntax: '--hidden', help: 'include hidden files and directories' },
  follow: {
    group: 'Inputs',
    syntax: '--follow',
    help: 'follow symbolic links that stay inside the input directory; each file is read once',
  },
  ignore: {
    group: 'Inputs',
    syntax: '--no-ignore',
    help: 'do not apply .gitignore, git’s other ignore files and .claude-batchignore; include node_modules and .git',
    default: true,
  },
} as const satisfies Record<string, Flag>
