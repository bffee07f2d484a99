import { resolveModelSettings, toRateLimitSettings } from '../config/model-settings.ts'
import type { ServeOptions } from '../config/serve-flags.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { describeAccountError } from '../core/errors/describe-account-error.ts'
import { formatFailure, toFailure } from '../core/errors/failure.ts'
import { RunError } from '../core/errors/run-error.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import { createStatsCollector } from '../core/run/run-stats.ts'
import { findSecrets } from '../core/text/find-secrets.ts'
import { createRedactor } from '../core/text/redact.ts'
import { createBoundedQueue } from '../engine/middleware/bounded-queue.ts'
import { composeAsk } from '../engine/middleware/compose.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { type Exit, toEnding } from '../errors.ts'
import { checkModelNames } from '../run/check-model-names.ts'
import { inspectNamedOutputs } from '../run/named-outputs.ts'
import { createPricing, describeCost, formatRetirements } from '../run/pricing.ts'
import { createProvider } from '../run/provider.ts'
import { stopOnSignals } from '../run/stop-on-signals.ts'
import { openRequestTelemetry } from '../run/trace-run.ts'
import type { Runtime } from '../runtime.ts'
import { createAccessRules } from '../serve/access-rules.ts'
import { createApp } from '../serve/app.ts'
import { listen } from '../serve/http-server.ts'
import { createMetrics } from '../serve/metrics.ts'
import { createRequestFactory } from '../serve/request-factory.ts'
import { loadPage } from '../serve/serve-page.ts'
import { openRequestLog } from '../sinks/request-log.ts'
import { formatRunCost } from '../ui/format-run-summary.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Serves summaries as streams until a signal stops the server. Prints its URL on stdout, for scripts.
 * @throws UsageError, RunError
 */
export async function serve(options: ServeOptions, runtime: Runtime): Promise<Exit> {
  const { clock, random } = runtime
  const accessRules = await createAccessRules(options, runtime)
  const outputs = await inspectNamedOutputs({ log: options.log, runtime })
  const { redact } = createRedactor([...findSecrets(runtime.env), accessRules.token ?? ''])
  const print = (text: string) => options.quiet || printMessage(runtime, redact(text))
  const { model } = resolveModelSettings({}, options)
  const shutdown = createShutdown()
  const stats = createStatsCollector()
  const provider = await createProvider(options, runtime)
  const stopListening = stopOnSignals(runtime, shutdown, () =>
    print('stopping: waiting for open streams (interrupt again to abort them)'),
  )
  try {
    const buildRequest = await createRequestFactory(options, runtime)
    checkModelNames([model], provider.baseUrl, options.modelId)
    const { priceOf, budget } = createPricing(options, [model])
    formatRetirements(options, [model], clock.wallTime()).forEach(print)
    const { ask: client } = await provider.connect()
    const log = outputs.log && (await openRequestLog(outputs.log))
    const metrics = createMetrics(clock.now, () => queue.countWaiting())
    const { ask, semaphore } = composeAsk(client, {
      ...toRateLimitSettings(options, model),
      retries: options.retries,
      maxWaitMs: options.maxWait * 1000,
      clock,
      random,
      drainSignal: shutdown.drainSignal,
      priceOf,
      budget,
      telemetry: openRequestTelemetry(provider),
      onPause: ({ reason }) => print(`paused: ${reason}`),
      listener: {
        onSend() {},
        onEnd(attempt) {
          stats.addAttempt(attempt)
          metrics.recordAttempt(attempt)
          log?.writeAttempt(attempt)
        },
      },
    })
    const queue = createBoundedQueue(ask, {
      semaphore,
      maxWaiting: options.maxQueue,
      drainSignal: shutdown.drainSignal,
    })
    const app = createApp({
      ask: queue.ask,
      buildRequest,
      accessRules,
      page: await loadPage({ simulated: options.simulate }),
      metrics,
      clock,
      drainSignal: shutdown.drainSignal,
      abort: shutdown.abortSignal,
      onError: (error) => print(formatOperatorError(error, model, provider.baseUrl)),
    })
    const server = await listen(app, options)
    runtime.stdout.write(`${server.url}\n`)
    print(formatStartMessage(server.url, options, accessRules.token !== undefined))

    await new Promise((done) => shutdown.drainSignal.addEventListener('abort', done, { once: true }))
    // Aborted streams end with an error event, which needs a moment to be sent.
    shutdown.abortSignal.addEventListener(
      'abort',
      () => setTimeout(server.closeAllConnections, 500).unref(),
      { once: true },
    )
    await server.close()
    await log?.close()
    const runStats = stats.getStats(0)
    const { usage, requests } = runStats
    const cost = formatRunCost(runStats, { costNote: describeCost(options, [model]), model })
    print(
      `requests sent: ${requests}; ${sumInputTokens(usage)} tokens in, ${usage.output_tokens} out, ${cost}`,
    )
    const { reason } = shutdown.drainSignal as { reason: unknown }
    if (reason instanceof RunError) return toEnding(reason).exit
    throw reason
  } finally {
    stopListening()
    await provider.close()
    outputs.close()
  }
}

function formatStartMessage(
  url: string,
  { simulate, allowOrigin = [] }: ServeOptions,
  needsToken: boolean,
): string {
  const openAccess =
    allowOrigin.length === 0
      ? 'any program on this machine can use it, web pages of other origins cannot'
      : `any program on this machine can use it, and web pages of ${allowOrigin.join(', ')}`
  const access = needsToken ? 'callers need the token' : openAccess
  return `${simulate ? 'simulated; ' : ''}open ${url}/ in a browser, or POST ${url}/stream; ${access}`
}

/** Returns the message of an error for the operator. Clients get a shorter one. */
function formatOperatorError(thrown: unknown, model: string, baseUrl: string): string {
  const error = thrown instanceof StoppedError ? thrown.cause : thrown
  if (error instanceof AskError) {
    const { requestError } = error
    return classifyError(requestError) === 'account'
      ? describeAccountError(requestError, model, baseUrl)
      : formatFailure(toFailure(requestError))
  }
  if (error instanceof RunError) return toEnding(error).text
  return `this is a bug, please report it: ${error instanceof Error ? error.stack : String(error)}`
}
