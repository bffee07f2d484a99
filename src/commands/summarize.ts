import { resolve } from 'node:path'
import { checkTogether, type SummarizeOptions } from '../config/flags.ts'
import { adviceFor } from '../core/advice.ts'
import { findModel } from '../core/models.ts'
import { firstSlots, largestPool } from '../core/pool-size.ts'
import { renderPrompt } from '../core/prompt.ts'
import { createTally, type Tally } from '../core/report.ts'
import { parametersFor } from '../core/request.ts'
import { deliver } from '../engine/deliver.ts'
import { createGate } from '../engine/gate.ts'
import { createHalt, type Halt } from '../engine/halt.ts'
import { createPace } from '../engine/pace.ts'
import { recorded } from '../engine/recorded.ts'
import { retrying } from '../engine/retry.ts'
import { summarizeAll } from '../engine/summarize.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import { type Found, find } from '../inputs/find.ts'
import { loadPrompt } from '../inputs/prompt.ts'
import { read } from '../inputs/read.ts'
import { openLog } from '../sinks/log.ts'
import { furthestAhead } from '../sinks/ordered.ts'
import type { Sink } from '../sinks/sink.ts'
import { createTeller, type Teller } from '../ui/teller.ts'
import type { World } from '../world.ts'
import { openSink, outputFolder } from './destination.ts'
import { namedInputs, nothingFound, rootsOf, walkOptions } from './named-inputs.ts'
import { openService } from './service.ts'
import { givenLimits, settingsOf } from './settings.ts'
import { stopOnSignals } from './signals.ts'

/** Turns documents into summaries. Nothing is written or sent before everything that can be checked was. */
export async function summarize(
  args: readonly string[],
  options: SummarizeOptions,
  world: World,
): Promise<Exit> {
  checkTogether(options)
  const { clock, random } = world
  const start = clock.now()

  const inputs = await namedInputs(args, options, world)
  const out = outputFolder(inputs, options, world)
  const found = await find(inputs, walkOptions(options, world, out))
  if (!found.anything) throw new RunError('noInput', nothingFound(inputs))
  const prompt = await loadPrompt(options.prompt, {
    cwd: world.cwd,
    inputRoots: rootsOf(inputs, world),
    vars: Object.keys(options.var ?? {}),
  })
  const parameters = parametersFor(settingsOf(prompt, options))

  const service = await openService(options, world)
  try {
    const log = options.log === undefined ? undefined : await openLog(resolve(world.cwd, options.log))
    const sink = await openSink(out, found.sources, options, world)

    const tally = createTally()
    const halt = createHalt()
    const maxWaitMs = options.maxWait * 1000
    const gate = createGate({ clock, random, maxWaitMs, onPause: (ms) => teller.paused(ms) })
    const most = options.concurrency ?? largestPool
    const pace = createPace({
      given: givenLimits(options),
      slots: { first: Math.min(most, firstSlots(options.rpm, options.latency ?? 3)), most },
      charactersPerToken: findModel(parameters.model)?.charsPerToken ?? 2.5,
      gate,
      clock,
      drain: halt.drain,
    })

    const teller = createTeller({
      stderr: world.stderr,
      env: world.env,
      ...options,
      total: found.sources.length,
      tally,
      waitingFor: () => pace.account().latest,
      elapsed: () => clock.now() - start,
    })
    for (const pattern of found.unmatched)
      world.stderr.write(`claude-batch: no files match ${JSON.stringify(pattern)}\n`)
    const stopListening = stopOnSignals(world, halt, teller.draining)

    const counted = recorded(service.ask, clock, {
      sent: teller.sent,
      ended(attempt) {
        tally.attempt(attempt)
        log?.attempt(attempt)
        teller.ended(attempt)
      },
    })
    const ask = retrying(pace.paced(counted), {
      retries: options.retries,
      maxWaitMs,
      clock,
      random,
      drain: halt.drain,
    })

    const outcomes = summarizeAll({
      sources: found.sources,
      read: (source) => read(source, world.stdin),
      requestFor: (document) => ({
        ...parameters,
        ...renderPrompt(prompt, document, options.var ?? {}),
        path: document.source.path,
        attempt: 1,
      }),
      ask,
      explain: ({ fault }) => new RunError('refused', adviceFor(fault, parameters.model, service.endpoint)),
      slots: pace.slots,
      ...(out === undefined && !options.unordered && { ahead: furthestAhead }),
      halt,
      clock,
    })
    await deliver(outcomes, deliveryTo(sink, tally, teller, halt)).finally(() => {
      stopListening()
      teller.stop()
    })
    await log?.close().catch((error: Error) => halt.stop(error))

    const stopped = halt.drain.reason as Error | undefined
    if (stopped !== undefined && !(stopped instanceof RunError)) throw stopped
    if (stopped?.exit !== 'readerLeft') {
      teller.report({
        prompt: `${prompt.name}@${prompt.version} (${prompt.origin})`,
        model: parameters.model,
        pace: pace.account(),
        simulated: options.simulate,
        ...(out !== undefined && { out: options.out ?? 'summaries' }),
      })
      if (stopped !== undefined) world.stderr.write(`claude-batch: ${stopped.message}\n`)
    }
    return exitOf(tally, found, stopped)
  } finally {
    await service.close()
  }
}

function deliveryTo(sink: Sink, tally: Tally, teller: Teller, halt: Halt): Parameters<typeof deliver>[1] {
  return {
    to: sink,
    delivered(outcome) {
      tally.outcome(outcome)
      teller.outcome(outcome)
    },
    refused(outcome, error) {
      const { source, attempts, elapsedMs } = outcome
      tally.outcome({ source, attempts, elapsedMs, status: 'pending', reason: 'it could not be written' })
      // With the reader of stdout gone, there is nobody left to finish anything for.
      if (error instanceof RunError && error.exit === 'readerLeft') return halt.abandon(error)
      teller.unsaved(outcome)
      halt.stop(error instanceof Error ? error : new Error(String(error)))
    },
  }
}

function exitOf(tally: Tally, found: Found, stopped: RunError | undefined): Exit {
  const { documents, transient } = tally.standing()
  const exits: Exit[] = ['ok']
  if (stopped !== undefined) exits.push(stopped.exit)
  if (documents.failed > transient || found.unmatched.length > 0) exits.push('failed')
  if (transient > 0) exits.push('later')
  return chooseExit(exits)
}
