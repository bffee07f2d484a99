import type { SummarizeOptions } from '../config/flags.ts'
import { type Route, routeOf } from '../core/batch/choose-mode.ts'
import type { Counted } from '../core/document/count-with-example.ts'
import type { Source } from '../core/document/document.ts'
import { adviceFor } from '../core/errors/remediation.ts'
import type { Experience } from '../core/estimate/estimate.ts'
import { timeAtLimits } from '../core/estimate/estimate-json.ts'
import { largestPool } from '../core/rate-limit/pool-size.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { endLineOf } from '../core/run/run-end.ts'
import type { Tally } from '../core/run/run-stats.ts'
import { furthestAhead, inOrder } from '../engine/in-order.ts'
import type { Purse } from '../engine/middleware/with-budget.ts'
import { withChunkCache } from '../engine/middleware/with-cache.ts'
import { createHalt } from '../engine/shutdown.ts'
import { type Job, summarizeAll } from '../engine/summarize-documents.ts'
import { deliver } from '../engine/write-outcomes.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import { type Read, reader } from '../inputs/read/read.ts'
import type { World } from '../runtime.ts'
import { openLog } from '../sinks/request-log.ts'
import { hasLedger } from '../storage/output-folder.ts'
import type { Teller } from '../ui/teller.ts'
import { batchedOutcomes } from './batch-run.ts'
import { confirmed } from './confirm-cost.ts'
import { serviceFor } from './connect.ts'
import { forecastBySize } from './estimate-by-size.ts'
import { watched } from './instrument.ts'
import type { NamedOutputs } from './named-outputs.ts'
import { deliveryTo } from './outcome-writer.ts'
import { type Destination, folderDestination, stdoutDestination } from './output.ts'
import { limitsOf } from './planning-limits.ts'
import { moneyFor, retirements } from './pricing.ts'
import { reportOf } from './report-writer.ts'
import type { Asking } from './request-builder.ts'
import { sampling } from './sampling.ts'
import { stopOnSignals } from './stop-on-signals.ts'
import { stopRules } from './stop-rules.ts'

/** What a run is to do, all of it checked. */
export interface Plan {
  readonly sources: readonly Source[]
  /** Documents that were found and left out, by the reason. */
  readonly skipped?: ReadonlyMap<string, Counted>
  /** Patterns that no file matches, which was reported. */
  readonly unmatched: readonly string[]
  readonly askingAt: (endpoint: string) => Asking
  /** The output folder; undefined for stdout. */
  readonly out: string | undefined
  /** The files that flags name for writing. */
  readonly outputs: Pick<NamedOutputs, 'report' | 'log'>
  /** When it began, by the clock: milliseconds. */
  readonly start: number
  /** How documents are read that are no files; as files are, if left out. */
  readonly read?: Read
  /** What may be spent, shared with what was run before; by the options, if left out. */
  readonly purse?: { of?: Purse | undefined }
  /** Waits for the batches of earlier runs, too, that are not at their end. */
  readonly waits?: boolean
  /** Leaves the batches of earlier runs to other runs. */
  readonly collects?: false
}

/** How a run ended. */
export interface RunEnd {
  readonly exit: Exit
  /** The paths of documents that the next run takes up, whatever else it does: pending, or failed for now. */
  readonly unfinished: ReadonlySet<string>
}

/** Does what was planned: earns the outcomes, writes each where it belongs, and accounts for all. */
export async function run(
  plan: Plan,
  options: SummarizeOptions,
  world: World,
  version: string,
): Promise<RunEnd> {
  const { out, start, waits = !options.detach, collects = true } = plan
  const chosen = options.batch ? 'batch' : options.mode
  // Only a folder remembers batches.
  const via = out === undefined ? 'live' : chosen
  const unfinished = new Set<string>()
  const { clock } = world
  const report = reportOf(plan.outputs.report, out, world, version)
  const halt = createHalt()
  let teller: Teller | undefined
  const { encoding, pdf } = options
  const read = plan.read ?? reader({ ...world, encoding, pdf, tell: (text) => teller?.note(text) })
  const service = await serviceFor(options, world)
  const stopListening = stopOnSignals(world, halt, () => teller?.draining())
  let destination: Destination | undefined
  const open: { close(): Promise<void> }[] = []
  try {
    const { endpoint } = service
    const asking = plan.askingAt(endpoint)
    const { purse: shared = {} } = plan
    const money = {
      ...moneyFor(options, asking.models),
      ...(shared.of !== undefined && { purse: shared.of }),
    }
    shared.of = money.purse
    for (const text of retirements(asking.models, clock.wall())) world.stderr.write(`claude-batch: ${text}\n`)
    const common = { options, world, read, asking, version, endpoint, drain: halt.drain, ...money }
    if (options.dryRun) {
      const { dryRun } = await import('./dry-run.ts')
      const given = { ...common, service, out, report: plan.outputs.report, skipped: plan.skipped }
      return { exit: await dryRun(plan.sources, given), unfinished }
    }

    // Where nothing is remembered everything is to do; nothing is to be written before somebody agreed to that.
    const fresh = out === undefined || !hasLedger(out)
    const agreed = (sources: readonly Source[], experience: Experience) =>
      confirmed(
        () => {
          const { documents, live, batch } = forecastBySize(sources, experience, common)
          return [{ documents, cost: via === 'batch' ? batch : live }]
        },
        'document',
        common,
      )
    if (fresh) await agreed(plan.sources, new Map())
    destination =
      out === undefined
        ? stdoutDestination(plan.sources, common, halt.abandon)
        : await folderDestination(out, plan.sources, common)
    const { todo, done, objection, keep, again, watch } = destination
    const sink = report.watching(destination.sink, asking)
    open.unshift(sink)
    if (!fresh) await agreed(todo, destination.experience)
    const { batches } = destination
    const route = via === 'auto' ? routed(todo, destination, common) : undefined
    const submits = (route?.via ?? via) === 'batch'
    const isOpen = collects && (batches?.open.length ?? 0) > 0
    const isBatched = (via !== 'live' && todo.length > 0) || isOpen
    const client = todo.length > 0 || isBatched ? await service.open() : undefined

    // Not before someone agreed to the run, and everything that may be wrong with the folder was looked at.
    const log = plan.outputs.log && (await openLog(plan.outputs.log))
    if (log !== undefined) open.push(log)

    const watching = watched(client?.ask, {
      // What is shown as it comes needs no other sign of life.
      options: watch !== undefined && options.progress === 'auto' ? { ...options, progress: 'off' } : options,
      world,
      halt,
      money,
      log,
      model: asking.model,
      total: todo.length,
      done,
      skipped: plan.skipped,
      start,
    })
    const { ask, pace, slots, tally } = watching
    const { parts } = destination
    const inSlot = (ask: Ask) => slots.lend(ask, halt.drain)
    teller = watching.teller
    if (route !== undefined) teller.note(route.why)
    if (via !== chosen) teller.note('live: batches need an output folder, and this run writes to stdout')
    const rules = stopRules(options, halt, clock)
    const sample = sampling(destination, { ...common, teller })
    const job: Omit<Job, 'sources'> = {
      read,
      requestFor: asking.requestFor,
      partsOf: asking.partsOf,
      flaw: asking.flaw,
      doubts: asking.doubts,
      ...(objection !== undefined && { objection }),
      ask: watch === undefined ? ask : (request, signal) => ask(request, signal, watch),
      ...(parts !== undefined && { askPart: withChunkCache(ask, parts, inSlot) }),
      ended: rules.saw,
      explain: ({ fault }) => new RunError('refused', adviceFor(fault, asking.model, endpoint)),
      slots,
      ...(destination.inOrder && { ahead: furthestAhead }),
      halt,
      clock,
    }
    const outcomes =
      isBatched && client !== undefined
        ? batchedOutcomes(
            { ...job, sources: todo },
            {
              ...common,
              ...client,
              waits: waits && (submits || via === 'auto' || plan.waits === true),
              submits,
              movesOn: via === 'auto',
              ...(sample !== undefined && { offered: sample.from }),
              start,
              destination,
              money,
              run: watching,
              log,
            },
          )
        : summarizeAll({ ...job, ...(keep !== undefined && { keep }), sources: sample?.from(todo) ?? todo })
    const delivered = (outcome: Outcome) => {
      if (isUnfinished(outcome)) unfinished.add(outcome.source.path)
      sample?.saw(outcome)
    }
    const written = destination.inOrder ? inOrder(outcomes, todo) : outcomes
    await deliver(written, deliveryTo(sink, { tally, teller, halt, delivered })).finally(() => {
      rules.end()
      watching.teller.stop()
    })
    for (const outcome of sample?.left() ?? []) {
      unfinished.add(outcome.source.path)
      tally.outcome(outcome)
    }

    const account = tally.report(clock.now() - start)
    const time = new Date(clock.wall()).toISOString()
    const why = (halt.drain.reason as Error | undefined)?.message
    const end = endLineOf(destination.run.run, time, account, pace.account(), why)
    await destination.end(end).catch((error: Error) => halt.stop(error))
    for (const last of open.splice(0)) await last.close().catch((error: Error) => halt.stop(error))
    await report.write(destination.run, end).catch((error: Error) => halt.stop(error))

    const stopped = halt.drain.reason as Error | undefined
    if (stopped !== undefined && !(stopped instanceof RunError)) throw stopped
    if (stopped?.exit !== 'readerLeft') {
      teller.report(account, {
        prompt: `${asking.prompt} (${asking.origin})`,
        model: asking.model,
        pace: pace.account(),
        ...(money.purse !== undefined && { budget: money.purse.budget() }),
        simulated: options.simulate,
        again,
        ...(out !== undefined && { out: options.out ?? 'summaries' }),
      })
      if (stopped !== undefined)
        world.stderr.write(
          `claude-batch: ${stopped.message}${goOn(stopped, tally, options.force ? undefined : out)}\n`,
        )
    }
    return { exit: exitOf(tally, plan.unmatched, stopped), unfinished }
  } finally {
    stopListening()
    teller?.stop()
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

/** Which way documents go that are to go whichever is better. */
function routed(
  todo: readonly Source[],
  { experience, lastEnd }: Destination,
  common: Parameters<typeof forecastBySize>[2] & { readonly options: SummarizeOptions },
): Route {
  const { options } = common
  const expected = forecastBySize(todo, experience, common)
  const { limits, from } = limitsOf(options, lastEnd)
  const { latency = 3, concurrency = largestPool, timeLimit } = options
  const { ms } = timeAtLimits(expected, limits, from, latency * 1000, concurrency)
  const deadlineMs = timeLimit === undefined ? undefined : timeLimit * 1000
  return routeOf({ ...expected, documents: todo.length, liveMs: ms, deadlineMs })
}

/** Only a folder remembers what is done. */
function goOn({ exit }: RunError, tally: Tally, out: string | undefined): string {
  const { pending } = tally.standing().documents
  if (exit === 'later') return ''
  return out === undefined || pending === 0 ? '' : '; the same command goes on with the rest'
}

function isUnfinished(outcome: Outcome): boolean {
  return outcome.status === 'pending' || (outcome.status === 'failed' && outcome.failure.transient)
}

function exitOf(tally: Tally, unmatched: readonly string[], stopped: RunError | undefined): Exit {
  const { documents, transient, later } = tally.standing()
  const exits: Exit[] = ['ok']
  if (stopped !== undefined) exits.push(stopped.exit)
  if (documents.failed > transient || unmatched.length > 0) exits.push('failed')
  if (transient > 0 || later > 0) exits.push('later')
  return chooseExit(exits)
}
