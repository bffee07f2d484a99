import type { CommandSpec } from '../../src/cli/command-spec.ts'
import { commands } from '../../src/cli/commands.ts'
import { compareFlags } from '../../src/config/compare-flags.ts'
import type { Flag } from '../../src/config/flag.ts'
import { getConfigKey, getVariableName } from '../../src/config/flag-names.ts'
import type { ValueSchema } from '../../src/config/flag-parsers.ts'
import { serveFlags } from '../../src/config/serve-flags.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
import {
  findModel,
  knownModelNames,
  type Model,
  modelAliases,
  pricesAsOf,
  resolveModelAlias,
} from '../../src/core/pricing/models.ts'
import { chooseExit, type Exit, exitCodes } from '../../src/errors.ts'

type FlagTable = Readonly<Record<string, Flag>>

/** Returns docs/options.md: every command with its arguments and options. */
export function renderOptionsPage(): string {
  const sections = commands.filter(({ isHidden }) => !isHidden).flatMap((spec) => renderCommand(spec, ''))
  return joinBlocks([
    '# Options',
    'Every command with its arguments and options. `claude-batch <command> --help` prints the same:',
    '```sh\nclaude-batch summarize --help\n```',
    'A configuration file and environment variables can set most of them: see [configuration](configuration.md). `-h, --help` works for every command. This page is generated from the tables in `src/cli/` and `src/config/`; `npm run docs` updates it.',
    ...sections,
  ])
}

function renderCommand(spec: CommandSpec, parent: string): string[] {
  const { name, description = '', arguments: args = [], flags = {}, examples = [], subcommands = [] } = spec
  const path = `${parent}${name}`
  const usage = [
    'claude-batch',
    path,
    ...(Object.keys(flags).length > 0 ? ['[options]'] : []),
    ...args.map(({ syntax }) => syntax),
  ]
  const exampleLines = examples.map(([command, explanation]) => `${command} # ${explanation}`)
  const argumentRows = args
    .filter(({ help }) => help !== undefined)
    .map(({ syntax, help = '', default: value }) => [
      code(syntax),
      value === undefined ? '' : code(value),
      help,
    ])
  return [
    `## ${path}`,
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.`,
    ...(subcommands.length > 0 ? [] : [`\`\`\`\n${usage.join(' ')}\n\`\`\``]),
    ...(exampleLines.length > 0 ? [`\`\`\`sh\n${exampleLines.join('\n')}\n\`\`\``] : []),
    ...(argumentRows.length > 0 ? [renderTable(['argument', 'default', 'what it is'], argumentRows)] : []),
    // The settings of `config` are those of `summarize`.
    ...(name === 'config' ? ['It takes the options of `summarize`.'] : renderOptions(flags)),
    ...subcommands.flatMap((subcommand) => renderCommand(subcommand, `${path} `)),
  ]
}

function renderOptions(flags: FlagTable): string[] {
  const groups = new Map<string, string[][]>()
  for (const flag of Object.values(flags)) {
    const { help, defaultText } = describeFlag(flag)
    groups.set(flag.group, [...(groups.get(flag.group) ?? []), [code(flag.syntax), defaultText, help]])
  }
  return [...groups].map(
    ([group, rows]) => `**${group}**\n\n${renderTable(['option', 'default', 'what it does'], rows)}`,
  )
}

/** Returns the help without its default, and the default. */
function describeFlag({ help, parse, default: value }: Flag): { help: string; defaultText: string } {
  const [, text = help, written] = /^(.*?) \(default: (.*)\)$/.exec(help) ?? []
  if (value !== undefined && parse !== undefined)
    return { help: text, defaultText: code(parse.format?.(value as never) ?? String(value)) }
  return { help: text, defaultText: written ?? '' }
}

/** Returns docs/exit-codes.md. */
export function renderExitCodesPage(): string {
  const exits = Object.keys(exitCodes) as Exit[]
  const precedence = exits
    .sort((a, b) => (chooseExit([a, b]) === a ? -1 : 1))
    .map((exit) => exitCodes[exit].code)
  const rows = Object.values(exitCodes).map(({ code: number, meaning, retry }) => [
    String(number),
    meaning,
    retry,
  ])
  return joinBlocks([
    '# Exit codes',
    'A script reads from the exit code what happened, and whether running the same command again helps:',
    '```sh\nclaude-batch summarize docs -q\n[ $? -eq 75 ] && echo "try again later"\n```',
    renderTable(['code', 'meaning', 'does running it again help?'], rows),
    `A run that ends in several ways exits with the first of these: ${precedence.join(', ')}. After a signal, the process ends by that signal, so that a shell loop stops as well. Later versions may add codes: treat an unknown code as a failure.`,
    'This page is generated from the table in `src/errors.ts`; `npm run docs` updates it.',
  ])
}

/** Returns docs/models.md. */
export function renderModelsPage(): string {
  const aliasOf = new Map(modelAliases.map((alias) => [resolveModelAlias(alias), alias]))
  const ids = knownModelNames.filter((name) => !modelAliases.includes(name))
  const rows = ids.flatMap((id) => {
    const model = findModel(id)
    if (model === undefined) return []
    const { contextTokens, maxOutputTokens, priceTiers, efforts, retirement } = model
    const alias = aliasOf.get(id)
    return priceTiers.map(({ maxPromptTokens, prices }, index) => [
      `${code(id)}${describeTier(priceTiers, index, maxPromptTokens)}`,
      alias === undefined ? '' : code(alias),
      `${formatTokens(contextTokens)} / ${formatTokens(maxOutputTokens)}`,
      formatRates([prices.input, prices.output], 1),
      formatRates([prices.input, prices.output], 0.5),
      formatRates([prices.cacheWrite5m, prices.cacheWrite1h, prices.cacheRead], 1),
      efforts.length === 0 ? '' : `to ${code(efforts.at(-1) ?? '')}`,
      retirement === undefined ? '' : `${retirement.date}; use ${code(retirement.replacement)}`,
    ])
  })
  const heading = [
    'model',
    'short name',
    'context / longest answer, tokens',
    'price, in / out',
    'with `--batch`, in / out',
    'cache: write for 5 minutes / for an hour / read',
    'effort',
    'retires on',
  ]
  return joinBlocks([
    '# Models and prices',
    'claude-batch uses the model of the prompt, or the one that you name:',
    '```sh\nclaude-batch summarize docs --model sonnet\n```',
    `Prices are list prices in USD per million tokens, as of ${pricesAsOf}. For a model that is not here, or for your own prices, see [costs](cost.md#give-the-price-of-a-model).`,
    renderTable(heading, rows),
    'This page is generated from the table in `src/core/pricing/models.ts`; `npm run docs` updates it.',
  ])
}

function describeTier(tiers: Model['priceTiers'], index: number, maxPromptTokens: number): string {
  if (tiers.length === 1) return ''
  if (Number.isFinite(maxPromptTokens)) return `, prompts up to ${formatTokens(maxPromptTokens)} tokens`
  return `, prompts above ${formatTokens(tiers[index - 1]?.maxPromptTokens ?? 0)} tokens`
}

function formatTokens(tokens: number): string {
  return tokens.toLocaleString('en-US')
}

function formatRates(rates: readonly number[], factor: number): string {
  return rates.map((rate) => formatRate(rate * factor)).join(' / ')
}

/** Prices have at least two decimal places: 0.05, 0.025, 2.50. */
function formatRate(usd: number): string {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 })
}

/** Returns the example in docs/batches.md: the cost of 100,000 documents, live and as batches. */
export function renderBatchExample(): string {
  const [documents, input, output] = [100_000, 4000, 200]
  const rows = modelAliases.map((alias) => {
    const prices = findModel(alias)?.priceTiers[0]?.prices
    if (prices === undefined) throw new Error(`no price for ${alias}`)
    const live = (documents * (input * prices.input + output * prices.output)) / 1e6
    return [code(alias), ...[live, live / 2].map((usd) => `$${usd.toLocaleString('en-US')}`)]
  })
  return renderTable(['100,000 documents with', 'live', '`--batch`'], rows)
}

/** Replaces a generated part of a page: the lines between `<!-- name -->` and `<!-- end of name -->`. */
export function replaceGeneratedPart(page: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`]
  const [from, to] = [page.indexOf(start), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`the page has no part ${name}`)
  return page.slice(0, from + start.length) + content + page.slice(to)
}

/** Returns a page of these paragraphs, tables and code blocks. */
export function joinBlocks(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`
}

const settingsTables: Readonly<Record<string, FlagTable>> = {
  summarize: summarizeFlags,
  compare: compareFlags,
  serve: serveFlags,
}

/** Returns the table of all settings in docs/configuration.md. */
export function renderSettingsTable(): string {
  const settings = new Map<string, { readonly flag: Flag; readonly commands: string[] }>()
  for (const [command, flags] of Object.entries(settingsTables))
    for (const flag of Object.values(flags)) {
      const key = getConfigKey(flag)
      const setting = settings.get(key)
      if (setting === undefined) settings.set(key, { flag, commands: [command] })
      else setting.commands.push(command)
    }
  const rows = [...settings]
    .filter(([key]) => key !== 'config' && key !== 'profile')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { flag, commands }]) => [
      code(key),
      code(getVariableName(flag)),
      flag.parse === undefined ? '`true` or `false`' : describeSchema(flag.parse.schema),
      commands.join(', '),
    ])
  return renderTable(['key', 'variable', 'value', 'used by'], rows)
}

function describeSchema({
  type,
  enum: values,
  items,
  additionalProperties,
  minimum,
  maximum,
}: ValueSchema): string {
  if (values !== undefined) return values.map(code).join(', ')
  if (items !== undefined) return `list: ${describeSchema(items)}`
  if (additionalProperties !== undefined) return `mapping of ${describeSchema(additionalProperties)}`
  const types = [type].flat().map((name) => typeNames[name] ?? name)
  const range = [
    minimum === undefined ? '' : `at least ${minimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
  ]
  return [types.join(' or '), ...range.filter((text) => text !== '')].join(', ')
}

const typeNames: Readonly<Record<string, string>> = { string: 'text', integer: 'whole number' }

function code(text: string): string {
  return `\`${text}\``
}

/** Returns a table in Markdown. */
export function renderTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  return [heading, heading.map(() => '---'), ...escaped].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
