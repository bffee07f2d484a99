import { metrics, trace } from '@opentelemetry/api'
import type { Clock } from '../core/run/clock.ts'
import { hasTelemetrySdk } from '../engine/middleware/in-span.ts'

/**
 * Makes the SDK send what it still has, for at most five seconds: many SDKs are set up without a hook for the end of the
 * process, and a signal leaves no time for one.
 */
export async function flushTelemetry(clock: Pick<Clock, 'sleep'>): Promise<void> {
  if (!hasTelemetrySdk()) return
  const providers: object[] = [trace.getTracerProvider(), metrics.getMeterProvider()]
  const flushes = providers.map(async (provider: Flushable) => {
    // The provider of the SDK is behind a proxy of the API, possibly of another copy of the API.
    await (provider.getDelegate?.() ?? provider).forceFlush?.()
  })
  const timeout = new AbortController()
  const waiting = clock.sleep(maxFlushMs, timeout.signal).catch(() => {})
  await Promise.race([Promise.allSettled(flushes), waiting])
  timeout.abort()
}

/** What the providers of the SDK have besides the interfaces of the API. */
interface Flushable {
  getDelegate?(): Flushable
  forceFlush?(): Promise<void>
}

const maxFlushMs = 5000
