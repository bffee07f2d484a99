import { relative, sep } from 'node:path'
import type { SummarizeOptions } from '../config/flags.ts'
import { distinctRequests } from '../core/chunking/chunk-plan.ts'
import type { Counted } from '../core/document/count-with-example.ts'
import type { Document, InputProblem, Source } from '../core/document/document.ts'
import { type Experience, forecast, learn, type Prospect } from '../core/estimate/estimate.ts'
import {
  type EstimateFile,
  estimateVersion,
  timeAtLimits,
  usdBounds,
} from '../core/estimate/estimate-json.ts'
import { worstCase } from '../core/pricing/budget.ts'
import { decimalDollars, type Picodollars, type PriceOf } from '../core/pricing/price.ts'
import { largestPool } from '../core/rate-limit/pool-size.ts'
import { lengthOf, type Request } from '../core/request/request.ts'
import { printable } from '../core/text/escape-control.ts'
import { textKind } from '../core/text/text-kind.ts'
import { wellFormed } from '../core/text/well-formed.ts'
import { pool } from '../engine/pool.ts'
import type { Exit } from '../errors.ts'
import { earlierReport } from '../inputs/find/earlier-output.ts'
import type { Read } from '../inputs/read/read.ts'
import type { World } from '../runtime.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { streamWriter } from '../storage/fs/stream-writer.ts'
import { isDigest, type Made, readLedger } from '../storage/ledger/ledger.ts'
import { ledgerIn } from '../storage/output-folder.ts'
import { knownBatches } from '../storage/stored-batches.ts'
import { filesSink } from '../storage/summary-files.ts'
import { estimateText } from '../ui/estimate-report.ts'
import type { Service } from './connect.ts'
import { limitsOf } from './planning-limits.ts'
import type { Asking } from './request-builder.ts'
import { counting } from './token-counter.ts'

export interface DryRunOptions {
  readonly options: SummarizeOptions
  readonly world: World
  readonly read: Read
  readonly asking: Asking
  readonly priceOf: PriceOf
  readonly service: Service
  /** The output folder; undefined for stdout. */
  readonly out: string | undefined
  /** Where the estimate is saved. */
  readonly report: NamedFile | undefined
  /** Documents that were found and left out, by the reason. */
  readonly skipped?: ReadonlyMap<string, Counted> | undefined
  /** Aborted: somebody wants it to end. */
  readonly drain: AbortSignal
}

/** Reads all documents and says what a run would do and cost. Writes nothing but what it says, and asks nothing that costs. */
export async function dryRun(sources: readonly Source[], given: DryRunOptions): Promise<Exit> {
  const { options, world, read, asking, priceOf, service, out, drain } = given
  const past = await pastOf(out, sources, given)
  const tokensOf = options.tokenCount === 'exact' ? await counting(service, given) : undefined
  const skipped = Object.fromEntries([...(given.skipped ?? [])].map(([type, { count }]) => [type, count]))
  const [prospects, tally]: [Prospect[], Looked] = [[], { unchanged: 0, skipped, failing: {} }]
  let worst: Picodollars | undefined = 0n
  let documents = 0

  const look = async (source: Source): Promise<readonly Prospect[] | InputProblem | 'unchanged'> => {
    if (!source.named && isDigest(past.made.get(source.path)?.run?.prompt)) return earlierReport
    if (past.stands(source)) return 'unchanged'
    if (past.inBatches.has(source.path)) return underWay
    const document = source.problem ?? (await read(source))
    if ('as' in document) return document
    const parts = await asking.partsOf(document)
    if (parts !== undefined && 'as' in parts) return parts
    const requests =
      parts === undefined ? [asking.requestFor(document)] : [...distinctRequests(parts.requests), parts.last]
    const key = parts?.key ?? requests[0]?.key ?? ''
    const objection = await past.objection(source, { key })
    if (objection !== undefined) return objection.type === 'unchanged' ? 'unchanged' : objection
    const seen: Prospect[] = []
    for (const request of requests) {
      const most = worstCase(request, priceOf)
      worst = worst === undefined || most === undefined ? undefined : worst + most
      const tokens = await tokensOf?.(request, drain)
      if (typeof tokens === 'object') return tokens
      const prospect = prospectOf(request, document, asking)
      // What earlier documents came to says nothing about parts.
      const prompt = parts === undefined ? prospect.prompt : `${prospect.prompt}, in parts`
      seen.push({ ...prospect, prompt, ...(tokens !== undefined && { tokens }) })
    }
    return seen
  }
  const seen = pool(sources, { size: () => readersAtOnce }, async (source) => ({
    source,
    as: await look(source),
  }))
  for await (const { source, as } of seen) {
    drain.throwIfAborted()
    if (as === 'unchanged') tally.unchanged++
    else if ('as' in as) count(as.as === 'skip' ? tally.skipped : tally.failing, as.type)
    else {
      documents++
      prospects.push(...as)
    }
    if (options.verbose) world.stderr.write(`${printable(`${source.path}: ${inWords(as)}`)}\n`)
  }

  const expected = forecast(prospects, past.experience, priceOf)
  const { limits, from } = limitsOf(options, past.end)
  const estimate: EstimateFile = {
    format: 'claude-batch estimate',
    version: estimateVersion,
    made: new Date(world.clock.wall()).toISOString(),
    prompt: asking.prompt,
    model: asking.model,
    documents: { to_do: documents, ...tally },
    tokens_in: expected.input,
    tokens_out: expected.output,
    cost_usd: { live: usdBounds(expected.live), batch: usdBounds(expected.batch) },
    worst_usd: worst === undefined ? null : Number(decimalDollars(worst)),
    measured: expected.measured,
    counted: tokensOf !== undefined,
    time: timeAtLimits(
      expected,
      limits,
      from,
      (options.latency ?? 3) * 1000,
      options.concurrency ?? largestPool,
    ),
  }
  await streamWriter(
    world.stdout,
    'stdout',
  )(estimateText(estimate, { origin: asking.origin, simulated: options.simulate }))
  if (given.report !== undefined)
    await writeNamedFile(
      given.report,
      `${JSON.stringify(wellFormed(estimate), null, 2)}\n`,
      `${world.pid}-estimate`,
    )
  return 'ok'
}

const underWay: InputProblem = {
  as: 'skip',
  type: 'in_batch',
  message: 'it is in a batch that is not collected yet',
}

/** Files open at once. */
const readersAtOnce = 16

interface Looked {
  unchanged: number
  readonly skipped: Record<string, number>
  readonly failing: Record<string, number>
}

function count(counts: Record<string, number>, type: string): void {
  counts[type] = (counts[type] ?? 0) + 1
}

function prospectOf(request: Request, { source, text }: Document, asking: Asking): Prospect {
  const { model, maxTokens } = request
  const { prompt } = asking.factsFor(source.path)
  return {
    prompt,
    model,
    maxTokens,
    characters: lengthOf(request),
    kind: textKind(source.path, text),
  }
}

function inWords(as: readonly Prospect[] | InputProblem | 'unchanged'): string {
  if (as === 'unchanged') return 'its summary stands'
  if ('as' in as) return `${as.as === 'skip' ? 'would be skipped' : 'would fail'}: ${as.message}`
  const sum = (of: (prospect: Prospect) => number) => as.reduce((all, prospect) => all + of(prospect), 0)
  const counted = as.every(({ tokens }) => tokens !== undefined)
  const size = counted
    ? `${sum(({ tokens = 0 }) => tokens)} tokens`
    : `${sum(({ characters }) => characters)} characters`
  const parts = as.length === 1 ? '' : ` in ${as.length - 1} parts`
  return `would be summarized${parts}, ${size} of prompt`
}

/** What an output folder tells of earlier runs, without touching it. */
async function pastOf(
  out: string | undefined,
  sources: readonly Source[],
  { options, world, asking }: DryRunOptions,
) {
  const experience: Experience = new Map()
  if (out === undefined)
    return {
      experience,
      end: undefined,
      inBatches: new Set<string>(),
      made: new Map<string, Made>(),
      stands: () => false,
      objection: async () => undefined,
    }
  const base = relative(out, world.cwd).split(sep).join('/')
  const ledger = await readLedger(ledgerIn(out), base, (line) => learn(experience, line))
  const nothingIsWritten = () => Promise.reject(new Error('a dry run writes nothing'))
  const files = filesSink(out, sources, {
    memory: { ...ledger, keep: nothingIsWritten, confirm: nothingIsWritten, close: async () => {} },
    factsFor: asking.factsFor,
    foldsCase: false,
    force: options.force,
    frontMatter: false,
    redo: options.redo ?? [],
    structured: asking.structured,
    clock: world.clock,
  })
  const batches = await knownBatches({ out, here: base })
  const paths = batches.flatMap(({ documents }) => [...documents.values()].map(({ path }) => path))
  return {
    experience,
    inBatches: new Set(paths),
    end: ledger.end,
    made: ledger.made,
    stands: files.stands,
    objection: files.objection,
  }
}
