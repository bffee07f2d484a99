import type { SummarizeOptions } from '../config/flags.ts'
import { firstTier, type TimeAtLimits } from '../core/estimate/estimate-json.ts'
import type { LimitRates } from '../core/rate-limit/limiter-state.ts'
import type { EndLine } from '../core/run/ledger-entry.ts'

/** The limits to reckon with before a run: those given, else those that the last run found, else a guess. */
export function limitsOf(
  { rpm, itpm, otpm }: Pick<SummarizeOptions, 'rpm' | 'itpm' | 'otpm'>,
  end: EndLine | undefined,
): { readonly limits: LimitRates; readonly from: TimeAtLimits['limits_from'] } {
  const given = {
    ...(rpm !== undefined && { requests: rpm }),
    ...(itpm !== undefined && { inputTokens: itpm }),
    ...(otpm !== undefined && { outputTokens: otpm }),
  }
  // A service that says 0 has no limit to tell, or the ledger was changed.
  const seen = Object.fromEntries(Object.entries(end?.limits ?? {}).filter(([, limit]) => limit > 0))
  if (Object.keys(given).length > 0) return { limits: { ...seen, ...given }, from: 'given' }
  if (Object.keys(seen).length > 0) return { limits: seen, from: 'seen' }
  return { limits: firstTier, from: 'assumed' }
}
