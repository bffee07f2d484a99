// The manual page, made of what --help says: one place for every word.
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

const commands = [
  'summarize',
  'compare',
  'report',
  'prompts',
  'serve',
  'simulate',
  'config',
  'unlock',
  'completion',
]
const prompts = ['list', 'show', 'diff', 'check', 'pin'].map((name) => `prompts ${name}`)

/** @returns roff, as man(7) describes it */
export async function manualPage(runCli, version) {
  const sections = []
  for (const command of commands.flatMap((name) => (name === 'prompts' ? [name, ...prompts] : [name])))
    sections.push(
      `.SS ${escaped(command)}\n${preformatted(await helpOf(runCli, command.split(' '), version))}`,
    )
  const overview = await helpOf(runCli, [], version)
  return [
    `.TH CLAUDE\\-BATCH 1 "" "claude\\-batch ${escaped(version)}" "User Commands"`,
    '.SH NAME\nclaude\\-batch \\- summarize documents with Claude',
    '.SH SYNOPSIS\n.B claude\\-batch\n.I command\n[\\fIoptions\\fR] [\\fIarguments\\fR]',
    `.SH OVERVIEW\n${preformatted(overview)}`,
    `.SH COMMANDS\n${sections.join('\n')}`,
    `.SH FILES\n${preformatted('claude-batch.yaml         settings, here or above\nprompts/<name>.yaml       prompts of your own\nsummaries/.claude-batch/  what an output folder remembers')}`,
    '',
  ].join('\n')
}

async function helpOf(runCli, words, version) {
  const stdout = Object.assign(new PassThrough(), { columns: 78 })
  const shown = text(stdout)
  await runCli({ argv: [...words, '--help'], stdout, stderr: new PassThrough(), env: {} }, version)
  stdout.end()
  return shown
}

function preformatted(text) {
  return `.nf\n${text.trim().split('\n').map(escaped).join('\n')}\n.fi`
}

/** A line that begins with a dot or an apostrophe would be a request; - and \ mean something else than themselves. */
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
