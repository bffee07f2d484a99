import { resolve } from 'node:path'
import { checkTogether, type SummarizeOptions } from '../config/flags.ts'
import { adviceFor } from '../core/advice.ts'
import type { Ask } from '../core/ask.ts'
import { printable } from '../core/printable.ts'
import { createTally, type Tally } from '../core/report.ts'
import { unchanged } from '../core/standing.ts'
import { deliver } from '../engine/deliver.ts'
import { createHalt } from '../engine/halt.ts'
import { stacked } from '../engine/stack.ts'
import { summarizeAll } from '../engine/summarize.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import { type Found, find } from '../inputs/find.ts'
import { read } from '../inputs/read.ts'
import { openLog } from '../sinks/log.ts'
import { furthestAhead } from '../sinks/ordered.ts'
import { createTeller, type Teller } from '../ui/teller.ts'
import type { World } from '../world.ts'
import { askingFor } from './asking.ts'
import { deliveryTo } from './delivery.ts'
import { type Destination, folderDestination, outputFolder, stdoutDestination } from './destination.ts'
import { moneyFor, retirements } from './money.ts'
import { namedInputs, nothingFound, rootsOf, walkOptions } from './named-inputs.ts'
import { serviceFor } from './service.ts'
import { paceSettings } from './settings.ts'
import { stopOnSignals } from './signals.ts'
import { stopRules } from './stop-rules.ts'

/** Turns documents into summaries. Nothing is written or sent before everything that can be checked was. */
export async function summarize(
  args: readonly string[],
  options: SummarizeOptions,
  world: World,
  version: string,
): Promise<Exit> {
  checkTogether(options)
  const { clock, random } = world
  const start = clock.now()

  const inputs = await namedInputs(args, options, world)
  const out = outputFolder(inputs, options, world)
  const found = await find(inputs, walkOptions(options, world, out))
  if (!found.anything) throw new RunError('noInput', nothingFound(inputs, found.earlier))
  const askingAt = await askingFor(options, { cwd: world.cwd, inputRoots: rootsOf(inputs, world) })

  const halt = createHalt()
  let teller: Teller | undefined
  const service = await serviceFor(options, world)
  const stopListening = stopOnSignals(world, halt, () => teller?.draining())
  let destination: Destination | undefined
  const open: { close(): Promise<void> }[] = []
  try {
    const { endpoint } = service
    const asking = askingAt(endpoint)
    const { priceOf, purse } = moneyFor(options, asking.models)
    for (const text of retirements(asking.models, clock.wall())) world.stderr.write(`claude-batch: ${text}\n`)
    const log = options.log === undefined ? undefined : await openLog(resolve(world.cwd, options.log))
    if (log !== undefined) open.push(log)
    destination =
      out === undefined
        ? stdoutDestination(found.sources, options, world, halt.abandon)
        : await folderDestination(out, found.sources, { options, world, asking, version, drain: halt.drain })
    const { sink, todo, done, objection, keep, again, watch } = destination
    open.unshift(sink)
    const client = todo.length > 0 ? await service.open() : nothingToAsk

    const tally = createTally()
    for (const source of done) tally.outcome({ source, attempts: [], elapsedMs: 0, ...unchanged })
    const { ask, pace } = stacked(client, {
      ...paceSettings(options, asking.model),
      retries: options.retries,
      maxWaitMs: options.maxWait * 1000,
      clock,
      random,
      drain: halt.drain,
      priceOf,
      purse,
      onPause: (pause) => told.paused(pause),
      listener: {
        sent: () => told.sent(),
        ended(attempt) {
          tally.attempt(attempt)
          log?.attempt(attempt)
          told.ended(attempt)
        },
      },
    })

    const told = createTeller({
      stderr: world.stderr,
      env: world.env,
      ...options,
      // What is shown as it comes needs no other sign of life.
      ...(watch !== undefined && options.progress === 'auto' && { progress: 'off' as const }),
      total: todo.length,
      tally,
      waitingFor: () => pace.account().latest,
      elapsed: () => clock.now() - start,
    })
    teller = told
    for (const pattern of found.unmatched)
      world.stderr.write(`claude-batch: no files match ${printable(JSON.stringify(pattern))}\n`)

    const rules = stopRules(options, halt, clock)
    const outcomes = summarizeAll({
      sources: todo,
      read: (source) => read(source, world),
      requestFor: asking.requestFor,
      ...(objection !== undefined && { objection }),
      ask: watch === undefined ? ask : (request, signal) => ask(request, signal, watch),
      ended: rules.saw,
      ...(keep !== undefined && { keep }),
      explain: ({ fault }) => new RunError('refused', adviceFor(fault, asking.model, endpoint)),
      slots: pace.slots,
      ...(out === undefined && !options.unordered && { ahead: furthestAhead }),
      halt,
      clock,
    })
    await deliver(outcomes, deliveryTo(sink, { tally, teller: told, halt })).finally(() => {
      rules.end()
      told.stop()
    })
    for (const last of open.splice(0)) await last.close().catch((error: Error) => halt.stop(error))

    const stopped = halt.drain.reason as Error | undefined
    if (stopped !== undefined && !(stopped instanceof RunError)) throw stopped
    if (stopped?.exit !== 'readerLeft') {
      told.report({
        prompt: `${asking.prompt} (${asking.origin})`,
        model: asking.model,
        pace: pace.account(),
        ...(purse !== undefined && { budget: purse.budget() }),
        simulated: options.simulate,
        again,
        ...(out !== undefined && { out: options.out ?? 'summaries' }),
      })
      if (stopped !== undefined)
        world.stderr.write(
          `claude-batch: ${stopped.message}${goOn(stopped, tally, options.force ? undefined : out)}\n`,
        )
    }
    return exitOf(tally, found, stopped)
  } finally {
    stopListening()
    // What an error left open.
    for (const left of open) await left.close().catch(() => {})
    // Its connections first: where every descriptor is in use, a lock cannot be read.
    try {
      await service.close()
    } finally {
      await destination?.close()
    }
  }
}

const nothingToAsk: Ask = () => Promise.reject(new Error('there was nothing to ask'))

/** Only a folder remembers what is done. */
function goOn({ exit }: RunError, tally: Tally, out: string | undefined): string {
  const { pending } = tally.standing().documents
  if (exit === 'later') return ''
  return out === undefined || pending === 0 ? '' : '; the same command goes on with the rest'
}

function exitOf(tally: Tally, found: Found, stopped: RunError | undefined): Exit {
  const { documents, transient } = tally.standing()
  const exits: Exit[] = ['ok']
  if (stopped !== undefined) exits.push(stopped.exit)
  if (documents.failed > transient || found.unmatched.length > 0) exits.push('failed')
  if (transient > 0) exits.push('later')
  return chooseExit(exits)
}
