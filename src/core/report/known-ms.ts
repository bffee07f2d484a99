/** Returns a duration, or null for one that is unknown: negative, from before a clock was set back, or absent. */
export function toKnownMs(ms: number | null | undefined): number | null {
  return typeof ms === 'number' && ms >= 0 ? ms : null
}
