import { hash } from 'node:crypto'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Document, Source } from '../core/document/document.ts'
import { sourcePath } from '../core/document/document-path.ts'
import { printable } from '../core/text/escape-control.ts'
import { manyOf } from '../core/text/format-number.ts'
import type { Purse } from '../engine/middleware/with-budget.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import type { World } from '../runtime.ts'
import { writeWhole } from '../storage/fs/atomic-write.ts'
import { cannotRead } from '../storage/fs/disk-error.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { readWhole } from '../storage/fs/output-files.ts'
import { type Result, resultsIn } from '../storage/ledger/latest-results.ts'
import { isDigest } from '../storage/ledger/ledger.ts'
import { contentOf } from './digest-files.ts'
import { askingFor } from './request-builder.ts'
import { run } from './run.ts'

export interface DigestOf {
  /** As it was named. */
  readonly name: string
  /** That file; undefined where each folder gets a digest of that name. */
  readonly named: NamedFile | undefined
  /** The output folder. */
  readonly out: string
  readonly sources: readonly Source[]
  readonly inputRoots: readonly string[]
  readonly log: NamedFile | undefined
  /** What is left of what may be spent. */
  readonly purse: { of?: Purse | undefined }
}

/** One text to write. */
interface Digest {
  /** Absolute: where its links lead from, and what the ledger knows it by. */
  readonly place: string
  /** What is there: undefined for a pipe or a device. */
  readonly before: string | undefined
  /** The documents it is of, with their summaries, in order. */
  readonly of: readonly (readonly [path: string, result: Result])[]
}

/**
 * Makes one text of the summaries at hand, or one for each folder. It is a run like any other, over documents that are
 * made of summaries: remembered, accounted for, in parts where one request does not hold it, and not asked about again
 * where no summary changed.
 */
export async function digest(
  set: DigestOf,
  options: SummarizeOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const { cwd, stderr } = world
  const results = () => resultsIn(set.out, relative(set.out, cwd).split(sep).join('/'))
  const before = await results()
  const digests = await digestsOf(set, options, world, before)
  if (digests.size === 0) {
    stderr.write('claude-batch: there are no summaries to make a digest of\n')
    return 'ok'
  }

  const read = async (source: Source): Promise<Document> => {
    const text = textOf(digests.get(source.path) as Digest, set.out)
    return { source, text, bytes: { size: Buffer.byteLength(text), sha256: hash('sha256', text) } }
  }
  const { exit } = await run(
    {
      collects: false,
      sources: [...digests.keys()].map((path, index) => ({ index, path, named: true })),
      unmatched: [],
      askingAt: await askingFor(
        {
          ...options,
          prompt: 'digest',
          var: undefined,
          schema: undefined,
          words: undefined,
          maxTokens: undefined,
        },
        { cwd, inputRoots: set.inputRoots },
        { part: 'digest', merge: 'digest' },
      ),
      out: set.out,
      start: world.clock.now(),
      read,
      purse: set.purse,
      outputs: { report: undefined, log: set.log },
    },
    // The account of all is the first one; this one has a line.
    {
      ...options,
      schema: undefined,
      frontMatter: false,
      report: undefined,
      sample: undefined,
      quiet: true,
      verbose: false,
      batch: false,
      mode: 'live',
      yes: true,
    },
    world,
    version,
  )

  const after = await results()
  const written: Exit[] = []
  for (const [path, digest] of digests) {
    const text = after.get(path)?.text
    if (text === undefined) continue
    await writeDigest(set, digest, text, hash('sha256', `${world.pid} ${digest.place}`).slice(0, 12))
    const made = after.get(path)?.line.time !== before.get(path)?.line.time
    if (!options.quiet)
      stderr.write(
        `claude-batch: ${made ? 'made' : 'nothing changed for'} the digest of ${manyOf(digest.of.length, 'summary', 'summaries')} in ${printable(relative(cwd, digest.place))}\n`,
      )
    written.push('ok')
  }
  return chooseExit([exit, ...written])
}

/** By the paths they are remembered under. @throws RunError where one was edited by hand */
async function digestsOf(
  { name, named, out, sources }: DigestOf,
  { digestPer, force }: SummarizeOptions,
  { cwd }: World,
  results: ReadonlyMap<string, Result>,
): Promise<ReadonlyMap<string, Digest>> {
  const groups = new Map<string, (readonly [string, Result])[]>()
  for (const { path, problem } of sources) {
    // An earlier digest, met among the documents, is none.
    const result = problem === undefined ? results.get(path) : undefined
    const summary = result?.line.output?.file
    if (result?.text === undefined || summary === undefined || isDigest(result.line.prompt)) continue
    const place = digestPer === 'folder' ? join(out, dirname(summary), name) : resolve(cwd, name)
    const group = groups.get(place) ?? []
    groups.set(place, group)
    group.push([path, result])
  }
  const digests = new Map<string, Digest>()
  for (const [place, of] of groups) {
    const path = sourcePath(place, cwd)
    const before = await contentBefore(place, { named, out }).catch((error: NodeJS.ErrnoException) => {
      throw cannotRead(place, error)
    })
    if (before !== undefined && before !== '' && before !== results.get(path)?.text && !force)
      throw new RunError(
        'failed',
        `${printable(relative(cwd, place))} was edited by hand; give --digest another name, or --force to replace it`,
      )
    digests.set(path, { place, of, before })
  }
  return digests
}

/** What is in a digest's place: empty where nothing is, undefined for a pipe or a device. @throws the system's error */
async function contentBefore(
  place: string,
  { named, out }: Pick<DigestOf, 'named' | 'out'>,
): Promise<string | undefined> {
  if (named === undefined) return (await readWhole(out, place))?.toString('utf8') ?? ''
  return named.stream === undefined ? contentOf(named.file) : undefined
}

/** @throws RunError `io`, also where the file is not what it was when the digest was begun */
async function writeDigest(
  { named, out }: DigestOf,
  { place, before }: Digest,
  text: string,
  nonce: string,
): Promise<void> {
  const objectionTo = (now: string | undefined) =>
    now === before ? undefined : 'the file was changed while the digest was made'
  if (named !== undefined) {
    const objection = async (file: string) => objectionTo(await contentOf(file))
    return writeNamedFile({ ...named, objection }, text, `${nonce}-digest`)
  }
  const why = objectionTo(await contentBefore(place, { named, out }))
  if (why !== undefined) throw new RunError('io', `${printable(place)}: ${why}; it was not replaced`)
  await writeWhole(out, place, text, `${nonce}-digest`)
}

/** The summaries, each under a link to its document as it is seen from the digest. */
function textOf({ place, of }: Digest, out: string): string {
  const from = dirname(place)
  const link = (path: string, { line }: Result) => {
    const target = relative(from, join(out, line.output?.file ?? ''))
      .split(sep)
      .join(posix.sep)
    const name = path.replace(/[[\]]/g, '\\$&')
    return `[${name}](<${target.replace(/[<>]/g, encodeURIComponent)}>)`
  }
  return of.map(([path, result]) => `## ${link(path, result)}\n\n${result.text?.trim() ?? ''}\n`).join('\n')
}
