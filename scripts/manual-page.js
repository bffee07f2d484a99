// Builds the manual page from the --help of every command, and the help of the program for terminals of all widths.
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

/** Returns the manual page in roff; see man(7). */
export async function manualPage({ createProgram, runCli, listCommandPaths }, version) {
  const sections = []
  for (const path of listCommandPaths(createProgram(silentRuntime(), version, () => {})))
    sections.push(
      `.SS ${escaped(path)}\n${preformatted(await helpOf(runCli, [...path.split(' '), '--help', 'all'], version))}`,
    )
  const overview = await helpOf(runCli, ['--help', 'all'], version)
  return [
    `.TH CLAUDE\\-BATCH 1 "" "claude\\-batch ${escaped(version)}" "User Commands"`,
    '.SH NAME\nclaude\\-batch \\- summarize documents with Claude',
    '.SH SYNOPSIS\n.B claude\\-batch\n.I command\n[\\fIoptions\\fR] [\\fIarguments\\fR]',
    `.SH OVERVIEW\n${preformatted(overview)}`,
    `.SH COMMANDS\n${sections.join('\n')}`,
    `.SH FILES\n${preformatted('claude-batch.yaml         settings, here or in a parent directory\nprompts/<name>.yaml       your own prompts\nsummaries/.claude-batch/  state of an output folder')}`,
    '',
  ].join('\n')
}

/** Returns the help of the program for all widths that `src/fixed-text.ts` reads. */
export async function helpOfAllWidths({ runCli }, { storedColumns: { min, max }, textSeparator }, version) {
  const texts = []
  for (let columns = min; columns <= max; columns++)
    texts.push(await helpOf(runCli, ['--help'], version, columns))
  return texts.join(textSeparator)
}

function silentRuntime(stdout = new PassThrough()) {
  return { argv: [], stdout, stderr: new PassThrough(), env: {} }
}

async function helpOf(runCli, argv, version, columns = 78) {
  const stdout = Object.assign(new PassThrough(), { columns })
  const shown = text(stdout)
  await runCli({ ...silentRuntime(stdout), argv }, version)
  stdout.end()
  return shown
}

function preformatted(text) {
  return `.nf\n${text.trim().split('\n').map(escaped).join('\n')}\n.fi`
}

/**
 * Escapes a line for roff. A leading dot or apostrophe starts a request; `-`, `\` and others have special
 * meanings.
 */
function escaped(line) {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.')
}
