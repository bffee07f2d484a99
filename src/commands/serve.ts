import { paceSettings, settingsOf } from '../config/model-settings.ts'
import type { ServeOptions } from '../config/serve-flags.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { judge } from '../core/errors/classify-error.ts'
import { failureLine, failureOf } from '../core/errors/failure.ts'
import { adviceFor } from '../core/errors/remediation.ts'
import { promptTokens } from '../core/pricing/usage.ts'
import { createTally } from '../core/run/run-stats.ts'
import { printable } from '../core/text/escape-control.ts'
import { createRedactor } from '../core/text/redact.ts'
import { secretsIn } from '../core/text/secrets.ts'
import { stacked } from '../engine/middleware/compose.ts'
import { queued } from '../engine/middleware/with-bounded-queue.ts'
import { createHalt } from '../engine/shutdown.ts'
import { type Exit, RunError } from '../errors.ts'
import { serviceFor } from '../run/connect.ts'
import { inspectNamedOutputs } from '../run/named-outputs.ts'
import { moneyFor, retirements } from '../run/pricing.ts'
import { stopOnSignals } from '../run/stop-on-signals.ts'
import type { World } from '../runtime.ts'
import { guardFor } from '../serve/access-control.ts'
import { createApp } from '../serve/app.ts'
import { listen } from '../serve/http-server.ts'
import { createMetrics } from '../serve/metrics.ts'
import { loadPage } from '../serve/page.ts'
import { questionsFor } from '../serve/request-factory.ts'
import { openLog } from '../sinks/request-log.ts'
import { costText } from '../ui/run-report.ts'

/** Serves streams until it is told to stop. The address goes to stdout, so that a script can read it. */
export async function serve(options: ServeOptions, world: World): Promise<Exit> {
  const { clock, random, stderr } = world
  const guard = await guardFor(options, world)
  const outputs = await inspectNamedOutputs({ log: options.log, world })
  const { redact } = createRedactor([...secretsIn(world.env), guard.token ?? ''])
  const say = (text: string) => options.quiet || stderr.write(`claude-batch: ${printable(redact(text))}\n`)
  const { model } = settingsOf({}, options)
  const halt = createHalt()
  const tally = createTally()
  const service = await serviceFor(options, world)
  const stopListening = stopOnSignals(world, halt, () =>
    say('stopping: streams under way may go on for a while (again to cut them off)'),
  )
  try {
    const requestFor = await questionsFor(options, world, service.endpoint)
    const { priceOf, purse } = moneyFor(options, [model])
    retirements([model], clock.wall()).forEach(say)
    const { ask: client } = await service.open()
    const log = outputs.log && (await openLog(outputs.log))
    const metrics = createMetrics(clock.now, () => queue.waiting())
    const { ask, slots } = stacked(client, {
      ...paceSettings(options, model),
      retries: options.retries,
      maxWaitMs: options.maxWait * 1000,
      clock,
      random,
      drain: halt.drain,
      priceOf,
      purse,
      onPause: ({ why }) => say(`everything waits: ${why}`),
      listener: {
        sent() {},
        ended(attempt) {
          tally.attempt(attempt)
          metrics.attempt(attempt)
          log?.attempt(attempt)
        },
      },
    })
    const queue = queued(ask, { slots, most: options.maxQueue, drain: halt.drain })
    const app = createApp({
      ask: queue.ask,
      requestFor,
      guard,
      page: await loadPage(),
      metrics,
      clock,
      drain: halt.drain,
      abort: halt.abort,
      heartbeatMs: 15_000,
      failed: (error) => say(told(error, model, service.endpoint)),
    })
    const server = await listen(app, options)
    world.stdout.write(`${server.url}\n`)
    say(opening(server.url, options, guard.token !== undefined))

    await new Promise((done) => halt.drain.addEventListener('abort', done, { once: true }))
    // What is cut off has been answered by then, in a few words; those need a moment to go out.
    halt.abort.addEventListener('abort', () => setTimeout(server.cut, 500).unref(), { once: true })
    await server.close()
    await log?.close()
    const account = tally.report(0)
    const { usage, requests } = account
    const cost = costText(account, { simulated: options.simulate, model })
    say(`requests sent: ${requests}; ${promptTokens(usage)} tokens in, ${usage.output} out, ${cost}`)
    const { reason } = halt.drain as { reason: unknown }
    if (reason instanceof RunError) return reason.exit
    throw reason
  } finally {
    stopListening()
    await service.close()
    outputs.close()
  }
}

function opening(url: string, { simulate, allowOrigin = [] }: ServeOptions, closed: boolean): string {
  const pages = allowOrigin.length === 0 ? 'to no page but its own' : `to pages of ${allowOrigin.join(', ')}`
  const who = closed ? 'callers need the token' : `open to every program on this machine, and ${pages}`
  return `${simulate ? 'simulated; ' : ''}open ${url}/ in a browser, or POST ${url}/stream; ${who}`
}

/** What the operator is told, where a client is told less. */
function told(thrown: unknown, model: string, endpoint: string): string {
  const error = thrown instanceof StoppedError ? thrown.cause : thrown
  if (error instanceof AskError) {
    const { fault } = error
    return judge(fault).blame === 'run' ? adviceFor(fault, model, endpoint) : failureLine(failureOf(fault))
  }
  if (error instanceof RunError) return error.message
  return `this is a bug, please report it: ${error instanceof Error ? error.stack : String(error)}`
}
