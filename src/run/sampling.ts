import type { SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document/document.ts'
import { type Experience, learn } from '../core/estimate/estimate.ts'
import { sampleOf } from '../core/estimate/sample.ts'
import { billOf } from '../core/pricing/cost.ts'
import { dollars } from '../core/pricing/price.ts'
import { lineOf } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { printable } from '../core/text/escape-control.ts'
import { whole } from '../core/text/format-number.ts'
import type { World } from '../runtime.ts'
import type { Teller } from '../ui/teller.ts'
import { aboutDollars } from './confirm-cost.ts'
import { forecastBySize } from './estimate-by-size.ts'
import type { Destination } from './output.ts'

/** Some of a run's documents first, and the rest if somebody wants it. */
export interface Sampling {
  /** Chooses a sample of what is to be done, and yields that, and then the rest, if it is to be done. */
  from(todo: readonly Source[]): AsyncIterable<Source>
  /** To be told of each outcome once it is where it belongs. */
  saw(outcome: Outcome): void
  /** What the rest became, where nobody wanted it. */
  left(): readonly Outcome[]
}

export interface SamplingOptions extends Knowledge {
  readonly options: Pick<SummarizeOptions, 'sample' | 'yes'>
  readonly world: World
  readonly teller: Teller
  /** Aborted: nothing more is done anyway. */
  readonly drain: AbortSignal
}

/** What an estimate goes by. */
type Knowledge = Parameters<typeof forecastBySize>[2]

/**
 * Puts a sample before the rest, if one is wanted: says what it came to and what all will cost, and asks.
 */
export function sampling(
  { placeOf }: Pick<Destination, 'placeOf'>,
  { options: { sample: count, yes }, world, teller, drain, ...knowledge }: SamplingOptions,
): Sampling | undefined {
  if (count === undefined) return undefined
  if (placeOf === undefined) throw new Error('a sample needs an output folder')
  let sample: ReadonlySet<string> = new Set()
  const outcomes: Outcome[] = []
  let left: readonly Source[] = []
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  drain.addEventListener('abort', finish, { once: true })

  const isWanted = async (rest: readonly Source[]) => {
    const say = (text: string) => void world.stderr.write(`claude-batch: ${text}\n`)
    say(toldOf(outcomes, rest, placeOf, knowledge))
    if (yes) return true
    const answer = await world.confirm(`claude-batch: Go on with the other ${rest.length}? [y/N] `, drain)
    if (answer === undefined)
      say('that was the sample; the same command without --sample, or with --yes, does the rest')
    return answer === true
  }
  async function* from(todo: readonly Source[]) {
    const sized = todo.map((source) => ({ source, path: source.path, size: source.stats?.size ?? 0 }))
    const first = sampleOf(sized, count ?? 0).map(({ source }) => source)
    sample = new Set(first.map(({ path }) => path))
    const rest = todo.filter(({ path }) => !sample.has(path))
    yield* first
    if (rest.length === 0) return
    await finished
    // A run that is stopped instead of answered accounts for the rest, too.
    const goesOn = drain.aborted || (await teller.aside(() => isWanted(rest)).catch(() => drain.aborted))
    if (goesOn) yield* rest
    else left = rest
  }
  return {
    from,
    saw(outcome) {
      // Others come out of batches of earlier runs.
      if (!sample.has(outcome.source.path)) return
      outcomes.push(outcome)
      if (outcomes.length === sample.size) finish()
    },
    left: () =>
      left.map((source) => ({
        source,
        attempts: [],
        elapsedMs: 0,
        status: 'pending',
        reason: 'not in the sample',
      })),
  }
}

/** Where the summaries are is told for so many. */
const mostNamed = 10

/** What the sample came to, and what all documents will. */
function toldOf(
  outcomes: readonly Outcome[],
  rest: readonly Source[],
  placeOf: (path: string) => string,
  knowledge: Knowledge,
): string {
  const done = outcomes.filter(({ status }) => status === 'summarized')
  const named = done.slice(0, mostNamed).map(({ source }) => `  ${printable(placeOf(source.path))}`)
  const more = done.length > mostNamed ? [`  and ${done.length - mostNamed} more`] : []
  const lines = [`sample: ${done.length} of ${outcomes.length} summarized:`, ...named, ...more]
  const { cost: spent } = billOf(outcomes.flatMap(({ attempts }) => attempts))
  const { live } = forecastOf(outcomes, rest, knowledge)
  if (spent === undefined || live === undefined) return [...lines, 'what they cost is unknown'].join('\n')
  const all = { low: spent + live.low, expected: spent + live.expected, high: spent + live.high }
  const count = whole(outcomes.length + rest.length)
  return [...lines, `they cost ${dollars(spent)}; all ${count} will cost ${aboutDollars(all)}`].join('\n')
}

/** What the rest will come to, if it is as the sample was. */
function forecastOf(outcomes: readonly Outcome[], rest: readonly Source[], knowledge: Knowledge) {
  const experience: Experience = new Map()
  let [characters, bytes] = [0, 0]
  for (const outcome of outcomes) {
    const line = lineOf(outcome, '', knowledge.asking.factsFor(outcome.source.path))
    if (line === undefined || line.status === 'unchanged') continue
    learn(experience, line)
    characters += line.chars ?? 0
    bytes += line.size ?? 0
  }
  return forecastBySize(rest, experience, knowledge, bytes === 0 ? 1 : Math.min(1, characters / bytes))
}
