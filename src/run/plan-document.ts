import { dedupeRequests } from '../core/chunking/chunk-plan.ts'
import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import { otherSettingsProblem } from '../core/document/kept-results.ts'
import type { PlannedRequest } from '../core/estimate/estimate-cost.ts'
import { computeWorstCaseCost } from '../core/pricing/budget-state.ts'
import type { Picodollars } from '../core/pricing/pricing-rules.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { buildDocumentRequest, findReasonNotToSend } from '../engine/prepare.ts'
import { classifySource } from './classify-source.ts'
import type { ReadOutputState } from './read-output-state.ts'
import type { PromptChoice, RequestBuilder } from './request-builder.ts'
import type { RunContext } from './run-context.ts'
import type { createTokenCounter } from './token-counter.ts'

/** What a run would do with a document: send requests, skip it, fail it, or keep its summary. */
export type DocumentPlan = RequestsPlan | InputProblem | 'up_to_date'

interface RequestsPlan {
  readonly requests: readonly PlannedRequest[]
  /** The most that the requests can cost; undefined if the price of the model is unknown. */
  readonly worstCaseCost: Picodollars | undefined
}

export interface PlanDocumentOptions
  extends Pick<RunContext, 'read' | 'promptChoice' | 'priceOf' | 'drainSignal'> {
  readonly requestBuilder: RequestBuilder
  /** The state of the output folder; undefined on stdout. */
  readonly outputState: Pick<ReadOutputState, 'inspection' | 'findEarlierResult' | 'batchedPaths'> | undefined
  /** The hashes of all requests in batches or planned so far; the function adds to them. */
  readonly plannedHashes: Set<string>
  /** Counts tokens with the API; undefined to estimate them from the characters. */
  readonly countTokens: Awaited<ReturnType<typeof createTokenCounter>> | undefined
}

/** Reads a document and plans its requests. Sends no billed request. */
export async function planDocument(
  source: DocumentRef,
  {
    read,
    promptChoice,
    requestBuilder,
    priceOf,
    drainSignal,
    outputState,
    plannedHashes,
    countTokens,
  }: PlanDocumentOptions,
): Promise<DocumentPlan> {
  const sourceClass = outputState && classifySource(source, outputState.inspection)
  if (sourceClass === 'up_to_date' || typeof sourceClass === 'object') return sourceClass
  if (outputState?.batchedPaths.has(source.path)) return inBatchProblem
  if (sourceClass === 'other_settings') return otherSettingsProblem
  const { chunker, buildRequest } = requestBuilder
  const planChunks = chunker === undefined ? {} : { planChunks: chunker.planChunks }
  const prepared = await buildDocumentRequest(source, { read, buildRequest, ...planChunks })
  if ('problem' in prepared) return prepared.problem
  const { asked } = prepared
  if (outputState !== undefined) {
    const { inspector, earlier } = outputState.inspection
    if (sourceClass === 'unclear_settings' && earlier.isOnlySettingsChanged(source.path, asked))
      return otherSettingsProblem
    const { findEarlierResult } = outputState
    const reason = await findReasonNotToSend(source, asked, { ...inspector, findEarlierResult })
    if (reason !== undefined)
      return reason.problem.action === 'reuse'
        ? reusedProblem
        : reason.problem.type === 'unchanged'
          ? 'up_to_date'
          : reason.problem
  }
  // The run sends equal requests once.
  if (plannedHashes.has(asked.requestHash)) return reusedProblem
  plannedHashes.add(asked.requestHash)
  const requests =
    'request' in prepared
      ? [prepared.request]
      : [...dedupeRequests(prepared.chunkPlan.requests), prepared.chunkPlan.expectedFinalRequest]
  const plannedRequests: PlannedRequest[] = []
  for (const request of requests) {
    const tokens = await countTokens?.(request, drainSignal)
    if (typeof tokens === 'object') return tokens
    const planned = toPlannedRequest(request, source, prepared.document.text, promptChoice)
    const isForChunks = 'chunkPlan' in prepared
    plannedRequests.push({ ...planned, isForChunks, ...(tokens !== undefined && { countedTokens: tokens }) })
  }
  const worstCaseCosts = requests.map((request) => computeWorstCaseCost(request, priceOf))
  return { requests: plannedRequests, worstCaseCost: sumCosts(worstCaseCosts) }
}

/** Adds costs; undefined if one of them is unknown. */
export function sumCosts(costs: readonly (Picodollars | undefined)[]): Picodollars | undefined {
  return costs.reduce<Picodollars | undefined>(
    (sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost),
    0n,
  )
}

const reusedProblem: InputProblem = {
  action: 'skip',
  type: 'reused',
  message: 'another document has the same content; its summary is reused',
}

const inBatchProblem: InputProblem = {
  action: 'skip',
  type: 'in_batch',
  message: 'it is in a batch that is not collected yet',
}

function toPlannedRequest(
  request: Request,
  source: DocumentRef,
  text: string,
  { getProvenance }: Pick<PromptChoice, 'getProvenance'>,
): PlannedRequest {
  const { model, maxTokens } = request
  const { prompt } = getProvenance(source.path)
  return {
    prompt,
    model,
    maxTokens,
    characters: countPromptCharacters(request),
    kind: detectTextKind(source.path, text),
    isCited: request.citable !== undefined,
  }
}

/** Describes what a run would do with a document, for `--verbose`. */
export function describeDocumentPlan(plan: DocumentPlan): string {
  if (plan === 'up_to_date') return 'its summary is up to date'
  if ('action' in plan)
    return `${plan.action === 'skip' ? 'would be skipped' : 'would fail'}: ${plan.message}`
  const { requests } = plan
  const sum = (getValue: (request: PlannedRequest) => number) =>
    requests.reduce((total, request) => total + getValue(request), 0)
  const isCounted = requests.every(({ countedTokens }) => countedTokens !== undefined)
  const size = isCounted
    ? `${sum(({ countedTokens = 0 }) => countedTokens)} tokens`
    : `${sum(({ characters }) => characters)} characters`
  const parts = requests.length === 1 ? '' : ` in ${requests.length - 1} chunks`
  return `would be summarized${parts}, ${size} of prompt`
}
