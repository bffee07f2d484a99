import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { firstTierLimits, type TimeEstimate } from '../core/estimate/estimate-json.ts'
import { fromLimitFields } from '../core/rate-limit/limit-fields.ts'
import type { LimitRates } from '../core/rate-limit/limiter-state.ts'
import type { RunEnd } from '../core/run/ledger-entry.ts'

/**
 * Returns the rate limits for estimates: the configured ones, or those that the last run observed, or a
 * guess.
 */
export function resolvePlanningLimits(
  { rpm, itpm, otpm }: Pick<SummarizeOptions, 'rpm' | 'itpm' | 'otpm'>,
  lastRunEnd: RunEnd | undefined,
): { readonly limits: LimitRates; readonly from: TimeEstimate['limits_from'] } {
  const configured = {
    ...(rpm !== undefined && { requests: rpm }),
    ...(itpm !== undefined && { inputTokens: itpm }),
    ...(otpm !== undefined && { outputTokens: otpm }),
  }
  // A limit of 0 is ignored: the API has no such limit, or the ledger was edited.
  const observed: LimitRates = Object.fromEntries(
    Object.entries(fromLimitFields(lastRunEnd?.limits ?? {})).filter(([, limit]) => limit > 0),
  )
  if (Object.keys(configured).length > 0)
    return { limits: { ...observed, ...configured }, from: 'configured' }
  if (Object.keys(observed).length > 0) return { limits: observed, from: 'observed' }
  return { limits: firstTierLimits, from: 'assumed' }
}
