import { join, relative, sep } from 'node:path'
import type { CompareOptions } from '../config/compare-flags.ts'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document/document.ts'
import { adviceFor } from '../core/errors/remediation.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Report } from '../core/run/run-stats.ts'
import type { Halt } from '../engine/shutdown.ts'
import { summarizeAll } from '../engine/summarize-documents.ts'
import { deliver } from '../engine/write-outcomes.ts'
import { RunError } from '../errors.ts'
import { reader } from '../inputs/read/read.ts'
import { confirmed } from '../run/confirm-cost.ts'
import type { Service } from '../run/connect.ts'
import { forecastBySize } from '../run/estimate-by-size.ts'
import { watched } from '../run/instrument.ts'
import { deliveryTo } from '../run/outcome-writer.ts'
import { type Destination, folderDestination } from '../run/output.ts'
import type { Money } from '../run/pricing.ts'
import type { World } from '../runtime.ts'
import type { AttemptLog } from '../sinks/request-log.ts'
import { refuseLinks } from '../storage/fs/check-links.ts'
import { type Result, resultsIn } from '../storage/ledger/latest-results.ts'
import { inTurns } from './interleave.ts'
import type { Arm } from './variants.ts'

export interface ArmsOptions {
  readonly own: SummarizeOptions
  readonly options: CompareOptions
  /** The comparison's folder; absolute. */
  readonly out: string
  readonly world: World
  readonly version: string
  readonly service: Service
  readonly halt: Halt
  readonly money: Money
  readonly log: AttemptLog | undefined
  /** What is to be closed at the end is added. */
  readonly open: { close(): Promise<void> }[]
  /** Whom to tell that stopping was asked for. */
  readonly stage: { draining?: () => void }
}

/** What arms made of their documents, now or earlier. */
export interface Asked<Asking extends Arm = Arm> {
  readonly arms: readonly { readonly arm: Asking; readonly results: ReadonlyMap<string, Result> }[]
  /** How many were asked now, and what that came to. */
  readonly tasks: number
  readonly account: Report
}

/** Asks about each arm's documents what its folder does not know yet, all arms in turns. @param what is asked for: `answer` */
export async function askArms<Asking extends Arm & { readonly sources: readonly Source[] }>(
  arms: readonly Asking[],
  what: string,
  { own, options, out, world, version, service, halt, money, log, open, stage }: ArmsOptions,
): Promise<Asked<Asking>> {
  const { endpoint } = service
  const models = [...new Set(arms.map(({ asking }) => asking.model))].join(', ')
  const { drain } = halt
  const opened: Destination[] = []
  for (const { folder, asking, sources } of arms) {
    const setting = { options: own, world, asking, version, endpoint, drain }
    // To the folder of each, its own folder is the one that the user named; here only the folder above them is.
    refuseLinks(out, join(out, folder))
    const destination = await folderDestination(join(out, folder), sources, setting)
    opened.push(destination)
    open.push(destination)
  }
  const every = [...new Set(arms.flatMap(({ sources }) => sources))].sort((a, b) => a.index - b.index)
  const { tasks, armFor } = inTurns(every, arms, opened)
  const forecasts = () =>
    arms.map(({ asking }, n) => {
      const { todo, experience } = opened[n] ?? { todo: [], experience: new Map() }
      const { documents, live } = forecastBySize(todo, experience, { asking, priceOf: money.priceOf })
      return { documents, cost: live }
    })
  await confirmed(forecasts, what, { options, world, drain })

  const client = tasks.length === 0 ? undefined : (await service.open()).ask
  const { ask, slots, tally, teller } = watched(client, {
    options: own,
    world,
    halt,
    money,
    log,
    model: arms[0]?.asking.model ?? '',
    total: tasks.length,
    done: opened.flatMap(({ done }) => done),
    start: world.clock.now(),
  })
  stage.draining = teller.draining
  const outcomes = summarizeAll({
    sources: tasks,
    read: reader({ ...world, encoding: own.encoding, pdf: own.pdf, tell: teller.note }),
    requestFor: (document) => armFor(document.source).asking.requestFor(document),
    partsOf: (document) => armFor(document.source).asking.partsOf(document),
    objection: async (source, asked) => armFor(source).to.objection?.(source, asked),
    keep: async (outcome) => armFor(outcome.source).to.keep?.(outcome),
    ask,
    explain: ({ fault }) => new RunError('refused', adviceFor(fault, models, endpoint)),
    slots,
    halt,
    clock: world.clock,
  })
  const sink = {
    write: (outcome: Outcome) => armFor(outcome.source).to.sink.write(outcome),
    async close() {},
  }
  await deliver(outcomes, deliveryTo(sink, { tally, teller, halt })).finally(teller.stop)
  for (const { sink } of opened) await sink.close().catch((error: Error) => halt.stop(error))
  const results = await Promise.all(
    arms.map(async (arm) => ({
      arm,
      results: await resultsIn(join(out, arm.folder), seenFrom(out, arm.folder, world.cwd)),
    })),
  )
  return { arms: results, tasks: tasks.length, account: tally.report(0) }
}

function seenFrom(out: string, folder: string, cwd: string): string {
  return relative(join(out, folder), cwd).split(sep).join('/')
}
