import { join, relative, resolve, sep } from 'node:path'
import type { CompareOptions } from '../config/compare-flags.ts'
import { defaultsOf } from '../config/flag.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/flags.ts'
import { adviceFor } from '../core/advice.ts'
import { armSummary, ratiosOf } from '../core/comparison.ts'
import type { Source } from '../core/document.ts'
import { printable } from '../core/printable.ts'
import { deliver } from '../engine/deliver.ts'
import { createHalt } from '../engine/halt.ts'
import { summarizeAll } from '../engine/summarize.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import { find } from '../inputs/find.ts'
import { read } from '../inputs/read.ts'
import { openLog } from '../sinks/log.ts'
import { type Result, resultsIn } from '../sinks/results.ts'
import { streamWriter } from '../sinks/stream-writer.ts'
import { writeWhole } from '../sinks/whole-file.ts'
import { comparisonMarkdown, comparisonTable, textsMarkdown } from '../ui/comparison.ts'
import { costText } from '../ui/report.ts'
import type { World } from '../world.ts'
import { type Arm, armsOf } from './arms.ts'
import { confirmed } from './confirm.ts'
import { deliveryTo } from './delivery.ts'
import { type Destination, folderDestination } from './destination.ts'
import { forecastBySize } from './forecast-by-size.ts'
import { moneyFor, retirements } from './money.ts'
import { namedInputs, nothingFound, rootsOf, walkOptions } from './named-inputs.ts'
import { serviceFor } from './service.ts'
import { stopOnSignals } from './signals.ts'
import { inTurns, sampled } from './turns.ts'
import { watched } from './watched.ts'

/**
 * Sends the same documents through several prompts and models, in turns, so that no time of day is one arm's alone, and
 * shows what each came to. Every arm has an output folder of its own, which remembers what was paid for.
 */
export async function compare(
  args: readonly string[],
  options: CompareOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const { clock, cwd, stderr } = world
  const start = clock.now()
  const own: SummarizeOptions = { ...defaultsOf(summarizeFlags), ...options }
  const inputs = await namedInputs(args, own, world)
  const out = resolve(cwd, options.out)
  const found = await find(inputs, walkOptions(own, world, out))
  if (!found.anything) throw new RunError('noInput', nothingFound(inputs, found.earlier))
  const sources = sampled(found.sources, options.sample)
  const service = await serviceFor(options, world)
  const halt = createHalt()
  let draining = () => {}
  const stopListening = stopOnSignals(world, halt, () => draining())
  const opened: Destination[] = []
  try {
    const { endpoint } = service
    const arms = await armsOf(options, { cwd, inputRoots: rootsOf(inputs, world) }, endpoint)
    const models = arms.flatMap(({ asking }) => asking.models)
    const money = moneyFor(options, models)
    for (const text of retirements(models, clock.wall())) stderr.write(`claude-batch: ${text}\n`)
    const log = options.log === undefined ? undefined : await openLog(resolve(cwd, options.log))
    for (const { folder, asking } of arms) {
      const drain = halt.drain
      opened.push(
        await folderDestination(join(out, folder), sources, {
          options: own,
          world,
          asking,
          version,
          endpoint,
          drain,
        }),
      )
    }
    const { tasks, armFor } = inTurns(sources, arms, opened)
    const forecasts = () =>
      arms.flatMap(({ asking }, n) => {
        const { todo, experience } = opened[n] ?? { todo: [], experience: new Map() }
        const { requests, live } = forecastBySize(todo, experience, { asking, priceOf: money.priceOf })
        return { requests, cost: live }
      })
    await confirmed(forecasts, 'answers', { options, world, drain: halt.drain })
    const client = tasks.length === 0 ? undefined : (await service.open()).ask

    const { ask, pace, tally, teller } = watched(client, {
      options: own,
      world,
      halt,
      money,
      log,
      model: arms[0]?.asking.model ?? '',
      total: tasks.length,
      done: opened.flatMap(({ done }) => done),
      start,
    })
    draining = teller.draining
    const outcomes = summarizeAll({
      sources: tasks,
      read: (source) => read(source, world),
      requestFor: (document) => armFor(document.source).asking.requestFor(document),
      objection: async (source, asked) => armFor(source).to.objection?.(source, asked),
      keep: async (outcome) => armFor(outcome.source).to.keep?.(outcome),
      ask,
      explain: ({ fault }) => new RunError('refused', adviceFor(fault, options.models ?? '', endpoint)),
      slots: pace.slots,
      halt,
      clock,
    })
    const sink = {
      write: (outcome: Parameters<Destination['sink']['write']>[0]) =>
        armFor(outcome.source).to.sink.write(outcome),
      async close() {},
    }
    await deliver(outcomes, deliveryTo(sink, { tally, teller, halt })).finally(teller.stop)
    for (const last of [...opened.map((it) => it.sink), log])
      await last?.close().catch((error: Error) => halt.stop(error))

    const results = await Promise.all(
      arms.map(({ folder }) => resultsIn(join(out, folder), seenFrom(out, folder, cwd))),
    )
    await tell(sources, arms, results, out, world)
    const account = tally.report(0)
    const { documents, transient } = account
    if (!options.quiet) {
      const spent = costText(account, { simulated: options.simulate, model: 'one of the models' })
      stderr.write(
        `claude-batch: ${tasks.length} asked now, for ${spent}; the texts are in ${printable(join(options.out, fileName))}\n`,
      )
    }
    const stopped = halt.drain.reason as Error | undefined
    if (stopped !== undefined && !(stopped instanceof RunError)) throw stopped
    if (stopped !== undefined)
      stderr.write(`claude-batch: ${stopped.message}; the same command goes on with the rest\n`)
    return chooseExit([
      'ok',
      ...(stopped === undefined ? [] : [stopped.exit]),
      ...(documents.failed > transient || found.unmatched.length > 0 ? (['failed'] as const) : []),
      ...(transient > 0 ? (['later'] as const) : []),
    ])
  } finally {
    stopListening()
    try {
      await service.close()
    } finally {
      for (const destination of opened) await destination.close()
    }
  }
}

const fileName = 'comparison.md'

/** The table on stdout, and with the texts in a file. */
async function tell(
  sources: readonly Source[],
  arms: readonly Arm[],
  results: readonly ReadonlyMap<string, Result>[],
  out: string,
  { stdout, pid }: World,
): Promise<void> {
  const shown = arms.map(({ name }, n) => {
    const own = sources.flatMap(({ path }) => results[n]?.get(path) ?? [])
    const pairs = sources.flatMap(({ path }) => {
      const [first, second] = [results[0]?.get(path), results[n]?.get(path)]
      return first?.text === undefined || second?.text === undefined ? [] : [[first, second] as const]
    })
    return { name, summary: armSummary(own), ratios: n === 0 ? undefined : ratiosOf(pairs) }
  })
  const documents = sources.map(({ path }) => ({
    path,
    texts: arms.map(({ name }, n) => ({ name, text: results[n]?.get(path)?.text })),
  }))
  const note =
    'Means per document, with the interval that holds the true mean 95 times in a hundred; beside the first arm, document by document, how many times as much.'
  const page = `# Comparison\n\n${comparisonMarkdown(shown)}\n${note}\n\n${textsMarkdown(documents)}`
  await writeWhole(out, join(out, fileName), page, `${pid}-comparison`)
  await streamWriter(stdout, 'stdout')(comparisonTable(shown))
}

function seenFrom(out: string, folder: string, cwd: string): string {
  return relative(join(out, folder), cwd).split(sep).join('/')
}
