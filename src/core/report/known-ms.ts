/** Returns a duration, or null if it is unknown: absent, or negative because the clock was set back. */
export function toKnownMs(ms: number | null | undefined): number | null {
  return typeof ms === 'number' && ms >= 0 ? ms : null
}
