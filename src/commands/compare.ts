import { join, resolve } from 'node:path'
import { sampled } from '../compare/interleave.ts'
import { type Judge, judgeFor } from '../compare/judge.ts'
import { type ArmsOptions, type Asked, askArms } from '../compare/run-variants.ts'
import { armsOf } from '../compare/variants.ts'
import type { CompareOptions } from '../config/compare-flags.ts'
import { defaultsOf } from '../config/flag.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/flags.ts'
import type { Source } from '../core/document/document.ts'
import { markdownMarker } from '../core/document/generated-marker.ts'
import { modelId } from '../core/pricing/models.ts'
import { armSummary, ratiosOf } from '../core/report/comparison.ts'
import { type Judgement, judgementOf, type Score, scoreOf, verdictIn } from '../core/report/pairwise.ts'
import { printable } from '../core/text/escape-control.ts'
import { createHalt } from '../engine/shutdown.ts'
import { chooseExit, type Exit, RunError, UsageError } from '../errors.ts'
import { serviceFor } from '../run/connect.ts'
import { findInputs, namedInputs, rootsOf } from '../run/named-inputs.ts'
import { inspectNamedOutputs } from '../run/named-outputs.ts'
import { moneyFor, retirements } from '../run/pricing.ts'
import { stopOnSignals } from '../run/stop-on-signals.ts'
import type { World } from '../runtime.ts'
import { openLog } from '../sinks/request-log.ts'
import { writeWhole } from '../storage/fs/atomic-write.ts'
import { objectionToReport } from '../storage/fs/replaceable-file.ts'
import { streamWriter } from '../storage/fs/stream-writer.ts'
import { comparisonMarkdown, comparisonTable, textsMarkdown } from '../ui/comparison-report.ts'
import { costText } from '../ui/run-report.ts'

/**
 * Sends the same documents through several prompts and models, in turns, so that no time of day is one arm's alone, and
 * shows what each came to; a judge may be asked which texts are better. Every arm, and every way of asking the judge, has
 * an output folder of its own, which remembers what was paid for.
 */
export async function compare(
  args: readonly string[],
  options: CompareOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const { clock, cwd, stderr } = world
  const own: SummarizeOptions = { ...defaultsOf(summarizeFlags), ...options }
  const inputs = await namedInputs(args, own, world)
  const out = resolve(cwd, options.out)
  const found = await findInputs(inputs, own, world, out)
  const outputs = await inspectNamedOutputs({
    log: options.log,
    sources: found.sources,
    out,
    others: [fileName, pageName].map((name) => join(out, name)),
    world,
  })
  await checkComparison(out, options.out)
  const sources = sampled(found.sources, options.sample)
  const service = await serviceFor(options, world)
  const halt = createHalt()
  const stage: { draining?: () => void } = {}
  const stopListening = stopOnSignals(world, halt, () => stage.draining?.())
  const open: { close(): Promise<void> }[] = []
  try {
    const { endpoint } = service
    const places = { cwd, inputRoots: rootsOf(inputs, world) }
    const arms = await armsOf(options, places, endpoint)
    const { judge } = options
    const judgesOf = judge === undefined ? undefined : await judgeFor(judge, places, endpoint, options)
    const models = arms.flatMap(({ asking }) => asking.models)
    const all = judge === undefined ? models : [...models, modelId(judge)]
    const money = moneyFor(options, all)
    for (const text of retirements(all, clock.wall())) stderr.write(`claude-batch: ${text}\n`)
    const log = outputs.log && (await openLog(outputs.log))
    const common = { own, options, out, world, version, service, halt, money, log, open, stage }

    const asked = await askArms(
      arms.map((arm) => ({ ...arm, sources })),
      'answer',
      common,
    )
    const judged =
      judgesOf === undefined || halt.drain.aborted
        ? undefined
        : await judgedBy(judgesOf(asked.arms, sources), asked, common)
    await tell(sources, asked.arms, judged, out, world)
    await log?.close().catch((error: Error) => halt.stop(error))
    if (!options.quiet) {
      const spent = (text: string, { account, tasks }: Pick<Asked, 'account' | 'tasks'>) =>
        `${tasks} ${text}, for ${costText(account, { simulated: options.simulate, model: 'one of the models' })}`
      const parts = [
        spent('asked now', asked),
        ...(judged === undefined ? [] : [spent('judged now', judged)]),
      ]
      stderr.write(
        `claude-batch: ${parts.join('; ')}; the texts are in ${printable(join(options.out, fileName))}, and beside each other in comparison.html\n`,
      )
    }
    const stopped = halt.drain.reason as Error | undefined
    if (stopped !== undefined && !(stopped instanceof RunError)) throw stopped
    if (stopped !== undefined)
      stderr.write(`claude-batch: ${stopped.message}; the same command goes on with the rest\n`)
    const [failed, transient] = [asked, judged].reduce(
      ([failed, transient], it) => [
        failed + (it?.account.documents.failed ?? 0),
        transient + (it?.account.transient ?? 0),
      ],
      [0, 0] as [number, number],
    )
    return chooseExit([
      'ok',
      ...(stopped === undefined ? [] : [stopped.exit]),
      ...(failed > transient || found.unmatched.length > 0 ? (['failed'] as const) : []),
      ...(transient > 0 ? (['later'] as const) : []),
    ])
  } finally {
    stopListening()
    try {
      await service.close()
    } finally {
      for (const left of open) await left.close()
      outputs.close()
    }
  }
}

/** Has the judge asked about every arm beside the first; undefined where that is not to be: the arms are told all the same. */
async function judgedBy(
  judges: readonly Judge[],
  asked: Asked,
  common: ArmsOptions,
): Promise<JudgedArms | undefined> {
  const answers = await askArms(judges, 'judgement', common).catch((error: unknown) => {
    if (!(error instanceof UsageError || error instanceof RunError)) throw error
    common.halt.stop(new RunError('limit', error.message))
    return undefined
  })
  if (answers === undefined) return undefined
  const scores = asked.arms.slice(1).map(({ arm }) => {
    const ways = answers.arms.filter(({ arm: judge }) => judge.of === arm)
    const documents = new Map<string, { texts: readonly string[]; judgement: Judgement }>()
    for (const { path } of ways[0]?.arm.sources ?? []) {
      const texts = ways.flatMap(({ arm: { asking }, results }) => {
        const { line, text } = results.get(path) ?? {}
        // What was said of other texts, before these, is not about these.
        return text === undefined || line?.recipe !== asking.factsFor(path).recipe ? [] : text
      })
      const [asFirst, asSecond] = texts
      if (asFirst === undefined || asSecond === undefined) continue
      documents.set(path, { texts, judgement: judgementOf(verdictIn(asFirst), verdictIn(asSecond)) })
    }
    const score = scoreOf([...documents.values()].map(({ judgement }) => judgement))
    return { name: arm.name, score, documents }
  })
  return { ...answers, name: judges[0]?.name ?? '', scores }
}

interface JudgedArms extends Pick<Asked, 'account' | 'tasks'> {
  /** `judge@v1, claude-opus-5-5`. */
  readonly name: string
  readonly scores: readonly {
    readonly name: string
    readonly score: Score
    /** By their paths: the answers to both orders, and what follows from them. */
    readonly documents: ReadonlyMap<
      string,
      { readonly texts: readonly string[]; readonly judgement: Judgement }
    >
  }[]
}

const fileName = 'comparison.md'
const pageName = 'comparison.html'

/** Before anything is sent: a file of the user's that has the name of a comparison stays. @throws UsageError */
async function checkComparison(out: string, shown: string): Promise<void> {
  for (const [name, format] of [[fileName, 'md'] as const, [pageName, 'html'] as const]) {
    const why = await objectionToReport(join(out, name), format).catch((error: Error) => error.message)
    if (why !== undefined)
      throw new UsageError(`--out ${shown}: ${name}: ${why}; name another folder, or move this file away`)
  }
}

/** The tables on stdout, and with the texts in a file. */
async function tell(
  sources: readonly Source[],
  arms: Asked['arms'],
  judged: JudgedArms | undefined,
  out: string,
  { stdout, pid }: World,
): Promise<void> {
  const baseline = arms[0]?.results
  const shown = arms.map(({ arm: { name }, results }, n) => {
    const own = sources.flatMap(({ path }) => results.get(path) ?? [])
    const pairs = sources.flatMap(({ path }) => {
      const [first, second] = [baseline?.get(path), results.get(path)]
      return first?.text === undefined || second?.text === undefined ? [] : [[first, second] as const]
    })
    return { name, summary: armSummary(own), ratios: n === 0 ? undefined : ratiosOf(pairs) }
  })
  const documents = sources.map(({ path }) => ({
    path,
    texts: arms.map(({ arm: { name }, results }) => ({ name, text: results.get(path)?.text })),
    judgements: (judged?.scores ?? []).flatMap(({ name, documents }) => {
      const judgement = documents.get(path)
      return judgement === undefined ? [] : [{ name, ...judgement }]
    }),
  }))
  const page = `${markdownMarker}\n# Comparison\n\n${comparisonMarkdown(shown, judged)}\n${textsMarkdown(documents)}`
  await writeWhole(out, join(out, fileName), page, `${pid}-comparison`)
  const { comparisonHtml } = await import('../ui/comparison-html.ts')
  const texts = comparisonHtml(shown, judged, documents)
  await writeWhole(out, join(out, pageName), texts, `${pid}-comparison`)
  await streamWriter(stdout, 'stdout')(comparisonTable(shown, judged))
}
