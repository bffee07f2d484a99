import { join, resolve } from 'node:path'
import { sampleByPath } from '../compare/interleave.ts'
import { type JudgeVariant, loadJudge } from '../compare/judge.ts'
import { readSourceTexts } from '../compare/read-source-texts.ts'
import { type RunVariantsOptions, runVariants, type VariantsRun } from '../compare/run-variants.ts'
import { loadVariants } from '../compare/variants.ts'
import type { CompareOptions } from '../config/compare-flags.ts'
import { getDefaults } from '../config/flag.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/summarize-flags.ts'
import {
  combineVerdicts,
  computeScore,
  type PairwiseResult,
  type PairwiseScore,
  parseVerdict,
} from '../core/compare/pairwise.ts'
import { computeRatios, summarizeVariant } from '../core/compare/variant-summary.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { RunError } from '../core/errors/run-error.ts'
import { resolveModelAlias } from '../core/pricing/models.ts'
import { markdownMarker } from '../core/report/generated-marker.ts'
import { createShutdown } from '../engine/shutdown.ts'
import {
  chooseExit,
  describeStop,
  type Exit,
  ExitError,
  formatResumeHint,
  toEnding,
  UsageError,
} from '../errors.ts'
import { checkModelNames } from '../run/check-model-names.ts'
import { findInputs, getInputRoots, parseInputs } from '../run/named-inputs.ts'
import { inspectNamedOutputs } from '../run/named-outputs.ts'
import { createPricing, describeCost, formatRetirements } from '../run/pricing.ts'
import { createProvider, getProviderName } from '../run/provider.ts'
import { createResourceStack } from '../run/resource-stack.ts'
import { stopOnSignals } from '../run/stop-on-signals.ts'
import type { Runtime } from '../runtime.ts'
import { openRequestLog } from '../sinks/request-log.ts'
import { writeFileAtomic } from '../storage/fs/atomic-write.ts'
import { checkReportOverwrite } from '../storage/fs/named-file-checks.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { formatComparison, renderComparisonMarkdown, renderTextsMarkdown } from '../ui/comparison-tables.ts'
import { formatRunCost } from '../ui/format-run-summary.ts'
import { createReporter } from '../ui/reporter.ts'

/**
 * Summarizes the same documents with several prompts and models, and prints a comparison. The requests of the
 * variants are interleaved, so that the time of day does not bias the result. A judge can compare the texts.
 * Every variant, and every order of judging, has a separate output folder, so that a later run reuses its
 * replies.
 * @throws UsageError, RunError
 */
export async function compare(
  args: readonly string[],
  options: CompareOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const { clock, cwd } = runtime
  // A comparison is always of the prompts as they are now.
  const summarizeOptions: SummarizeOptions = {
    ...getDefaults(summarizeFlags),
    ...options,
    redo: ['settings'],
    // They would count as words, and a judge would see which variant has them.
    footnotes: false,
  }
  const inputs = await parseInputs(args, summarizeOptions, runtime)
  const out = resolve(cwd, options.out)
  const found = await findInputs(inputs, summarizeOptions, runtime, out)
  const outputs = await inspectNamedOutputs({
    log: options.log,
    sources: found.sources,
    out,
    reservedFiles: [markdownName, htmlName].map((name) => join(out, name)),
    runtime,
  })
  await checkComparison(out, options.out)
  const sources = sampleByPath(found.sources, options.limit)
  const provider = await createProvider(options, runtime)
  const shutdown = createShutdown()
  const reporter = createReporter({ ...runtime, ...options })
  const stopListening = stopOnSignals(runtime, shutdown, reporter.onDrain)
  const resources = createResourceStack()
  try {
    const lookup = { cwd, inputRoots: getInputRoots(inputs, runtime) }
    const variants = await loadVariants(options, lookup)
    const { judge } = options
    const createJudges =
      judge === undefined ? undefined : await loadJudge(judge, lookup, options, getProviderName(options))
    const models = variants.flatMap(({ promptChoice }) => promptChoice.models)
    const allModels = judge === undefined ? models : [...models, resolveModelAlias(judge)]
    checkModelNames(allModels, provider.baseUrl, options.modelId)
    const pricing = createPricing(options, allModels)
    for (const text of formatRetirements(options, allModels, clock.wallTime())) reporter.printMessage(text)
    const log = outputs.log && (await openRequestLog(outputs.log))
    const common = {
      summarizeOptions,
      options,
      out,
      runtime,
      version,
      provider,
      shutdown,
      pricing,
      reporter,
      log,
      resources,
    }

    const variantsRun = await runVariants(
      variants.map((variant) => ({ ...variant, sources })),
      'answer',
      common,
    )
    const judgedVariants =
      createJudges === undefined || shutdown.drainSignal.aborted
        ? undefined
        : await judgeVariants(createJudges(variantsRun.variants, sources), variantsRun, common)
    const sourceTexts = await readSourceTexts(sources, variantsRun.variants, {
      ...runtime,
      encoding: summarizeOptions.encoding,
      pdf: summarizeOptions.pdf,
      converters: { ...runtime, commands: summarizeOptions.convert, signal: shutdown.drainSignal },
    })
    const { simulate: simulated } = options
    await writeComparison(sources, variantsRun.variants, judgedVariants, out, runtime, {
      sourceTexts,
      simulated,
    })
    await log?.close().catch((error: Error) => shutdown.drain(error))
    if (!options.quiet) {
      const formatSpent = (text: string, { runStats }: Pick<VariantsRun, 'runStats'>) =>
        `${runStats.documents.summarized} ${text}, for ${formatRunCost(runStats, { costNote: describeCost(options, allModels), model: 'one of the models' })}`
      const parts = [
        formatSpent('summarized now', variantsRun),
        ...(judgedVariants === undefined ? [] : [formatSpent('judged now', judgedVariants)]),
      ]
      reporter.printMessage(
        `${parts.join('; ')}; the texts are in ${join(options.out, markdownName)}, and ${htmlName} shows them side by side`,
      )
    }
    reporter.printNotRead(found.notRead)
    const stopped = describeStop(shutdown.drainSignal.reason)
    if (stopped !== undefined) reporter.printMessage(`${stopped.text}${formatResumeHint(stopped)}`)
    const [failed, transient] = [variantsRun, judgedVariants].reduce(
      ([failed, transient], variantsRun) => [
        failed + (variantsRun?.runStats.documents.failed ?? 0),
        transient + (variantsRun?.runStats.transientFailures ?? 0),
      ],
      [0, 0] as [number, number],
    )
    return chooseExit([
      'ok',
      ...(stopped === undefined ? [] : [stopped.exit]),
      ...(failed > transient || found.unmatchedPatterns.length > 0 ? (['failed'] as const) : []),
      ...(transient > 0 ? (['temporaryFailure'] as const) : []),
    ])
  } finally {
    stopListening()
    try {
      await provider.close()
    } finally {
      await resources.close(() => {})
      outputs.close()
    }
  }
}

/** Lets the judge compare every variant with the first one. Returns undefined if the judge cannot run. */
async function judgeVariants(
  judges: readonly JudgeVariant[],
  variantsRun: VariantsRun,
  common: RunVariantsOptions,
): Promise<JudgedVariants | undefined> {
  const judgeRun = await runVariants(judges, 'judgement', common).catch((error: unknown) => {
    if (!(error instanceof UsageError || error instanceof RunError)) throw error
    const text = error instanceof RunError ? toEnding(error).text : error.message
    common.shutdown.drain(new ExitError('limitReached', text))
    return undefined
  })
  if (judgeRun === undefined) return undefined
  const scores = variantsRun.variants.slice(1).map(({ variant }) => {
    const bothOrders = judgeRun.variants.filter(({ variant: judge }) => judge.variant === variant)
    const documents = new Map<string, { replies: readonly string[]; result: PairwiseResult }>()
    for (const { path } of bothOrders[0]?.variant.sources ?? []) {
      const texts = bothOrders.flatMap(({ variant: { promptChoice }, results }) => {
        const { entry, text } = results.get(path) ?? {}
        // A judgement of an earlier run is about other texts if its settings hash differs.
        return text === undefined || entry?.settings_hash !== promptChoice.getProvenance(path).settingsHash
          ? []
          : text
      })
      const [asFirst, asSecond] = texts
      if (asFirst === undefined || asSecond === undefined) continue
      documents.set(path, {
        replies: texts,
        result: combineVerdicts(parseVerdict(asFirst), parseVerdict(asSecond)),
      })
    }
    const score = computeScore([...documents.values()].map(({ result }) => result))
    return { name: variant.name, score, documents }
  })
  return { ...judgeRun, name: judges[0]?.name ?? '', scores }
}

interface JudgedVariants extends Pick<VariantsRun, 'runStats'> {
  /** The prompt and model of the judge: `judge@v1, claude-opus-5-5`. */
  readonly name: string
  readonly scores: readonly {
    readonly name: string
    readonly score: PairwiseScore
    /** By document path: the judge's replies for both orders, and the combined result. */
    readonly documents: ReadonlyMap<
      string,
      { readonly replies: readonly string[]; readonly result: PairwiseResult }
    >
  }[]
}

const markdownName = 'comparison.md'
const htmlName = 'comparison.html'

/**
 * Checks before any request is sent that a comparison would not overwrite a file that claude-batch did not
 * write.
 * @throws UsageError
 */
async function checkComparison(out: string, displayName: string): Promise<void> {
  for (const [name, format] of [[markdownName, 'md'] as const, [htmlName, 'html'] as const]) {
    const reason = await checkReportOverwrite(join(out, name), format).catch((error: Error) => error.message)
    if (reason !== undefined)
      throw new UsageError(
        `--out ${displayName}: ${name}: ${reason}; choose another folder or move this file`,
      )
  }
}

interface ComparisonContext {
  /** The texts of the documents by path, where they are known. */
  readonly sourceTexts: ReadonlyMap<string, string>
  readonly simulated: boolean
}

/** Prints the tables to stdout, and writes them with the texts to `comparison.md` and `comparison.html`. */
async function writeComparison(
  sources: readonly DocumentRef[],
  variants: VariantsRun['variants'],
  judgedVariants: JudgedVariants | undefined,
  out: string,
  { stdout, pid }: Runtime,
  { sourceTexts, simulated }: ComparisonContext,
): Promise<void> {
  const baseline = variants[0]?.results
  const columns = variants.map(({ variant: { name }, results }, n) => {
    const variantResults = sources.flatMap(({ path }) => results.get(path) ?? [])
    const pairs = sources.flatMap(({ path }) => {
      const [first, second] = [baseline?.get(path), results.get(path)]
      return first?.text === undefined || second?.text === undefined ? [] : [[first, second] as const]
    })
    return {
      name,
      summary: summarizeVariant(variantResults),
      ratios: n === 0 ? undefined : computeRatios(pairs),
    }
  })
  const documents = sources.map(({ path }) => ({
    path,
    source: sourceTexts.get(path),
    texts: variants.map(({ variant: { name }, results }) => {
      const { text, entry } = results.get(path) ?? {}
      return { name, text, costUsd: entry?.cost_usd, simulated }
    }),
    judgements: (judgedVariants?.scores ?? []).flatMap(({ name, documents }) => {
      const judgement = documents.get(path)
      return judgement === undefined ? [] : [{ name, ...judgement }]
    }),
  }))
  const markdown = `${markdownMarker}\n# Comparison\n\n${renderComparisonMarkdown(columns, judgedVariants)}\n${renderTextsMarkdown(documents)}`
  await writeFileAtomic(out, join(out, markdownName), markdown, `${pid}-comparison`)
  const { renderComparisonHtml } = await import('../ui/render-comparison-html.ts')
  const texts = renderComparisonHtml(columns, judgedVariants, documents)
  await writeFileAtomic(out, join(out, htmlName), texts, `${pid}-comparison`)
  await createStreamWriter(stdout, 'stdout')(formatComparison(columns, judgedVariants))
}
