/**
 * Returns the user's home folder; undefined if the environment has none. On Windows only some shells set `HOME`.
 */
export function findHomeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env['HOME'] || env['USERPROFILE'] || undefined
}
