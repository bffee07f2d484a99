import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import type { Check, CheckName } from './check-result.ts'

/** Returns the checks for people: a line for each, and a line for each advice. */
export function formatChecks(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, status, found, advice }) => [
    `${statusLabels[status].padEnd(labelWidth)}${nameLabels[name].padEnd(nameWidth)}${escapeControlChars(found)}`,
    ...(advice === undefined || status === 'ok'
      ? []
      : [`${' '.repeat(labelWidth + nameWidth)}→ ${escapeControlChars(advice)}`]),
  ])
  return `${lines.join('\n')}\n`
}

/** Returns the checks for programs: one JSON object. */
export function formatChecksAsJson(checks: readonly Check[], exitCode: number): string {
  const entries = checks.map(({ name, status, found, advice }) => ({
    name,
    status,
    found,
    advice: advice ?? null,
  }))
  return `${JSON.stringify({ format: 'claude-batch doctor', format_version: 1, exit_code: exitCode, checks: entries }, null, 2)}\n`
}

const statusLabels: Readonly<Record<Check['status'], string>> = {
  ok: 'ok',
  warning: 'warning',
  error: 'ERROR',
}

const nameLabels: Readonly<Record<CheckName, string>> = {
  version: 'version',
  settings: 'settings',
  prompt: 'prompt',
  prices: 'prices',
  converters: 'converters',
  provider: 'provider',
  proxy: 'proxy',
  credentials: 'credentials',
  api: 'API',
  limits: 'rate limits',
  clock: 'clock',
  output: 'output folder',
  disk: 'disk',
}

const labelWidth = 9
const nameWidth = 15
