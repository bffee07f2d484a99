import type { ServeOptions } from '../config/serve-flags.ts'
import { adviceFor } from '../core/advice.ts'
import { AskError, failureLine, failureOf, judge, StoppedError } from '../core/failure.ts'
import { printable } from '../core/printable.ts'
import { createRedactor } from '../core/redact.ts'
import { createTally } from '../core/report.ts'
import { secretsIn } from '../core/secrets.ts'
import { promptTokens } from '../core/usage.ts'
import { createHalt } from '../engine/halt.ts'
import { queued } from '../engine/queue.ts'
import { stacked } from '../engine/stack.ts'
import { type Exit, RunError } from '../errors.ts'
import { createApp } from '../server/app.ts'
import { listen } from '../server/http.ts'
import { createMetrics } from '../server/metrics.ts'
import { loadPage } from '../server/page.ts'
import { openLog } from '../sinks/log.ts'
import { costText } from '../ui/report.ts'
import type { World } from '../world.ts'
import { guardFor } from './guard.ts'
import { moneyFor, retirements } from './money.ts'
import { inspectNamedOutputs } from './named-outputs.ts'
import { questionsFor } from './questions.ts'
import { serviceFor } from './service.ts'
import { paceSettings, settingsOf } from './settings.ts'
import { stopOnSignals } from './signals.ts'

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
    const queue = queued(ask, { slots, most: options.queue, drain: halt.drain })
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
