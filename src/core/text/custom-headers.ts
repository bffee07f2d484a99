/** Returns the headers that the variable `ANTHROPIC_CUSTOM_HEADERS` adds to every request, one a line. */
export function readCustomHeaders(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const lines = (env['ANTHROPIC_CUSTOM_HEADERS'] ?? '').split('\n').filter((line) => line.includes(':'))
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }),
  )
}
