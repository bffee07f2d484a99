/// <reference lib="esnext.disposable" preserve="true" />

export type { Citation, TextRange } from './core/citations/citation.ts'
export type { Mark, MarkedText, MarkKind } from './core/document/mark.ts'
export type { Image, ImageMediaType, Images, Pdf, Upload } from './core/document/upload.ts'
export type { EstimateRange } from './core/estimate/estimate-cost.ts'
export type { Effort } from './core/pricing/models.ts'
export type { JsonSchema } from './core/request/schema-support.ts'
export type { Template } from './core/request/template.ts'
export type { CallOptions } from './library/call-options.ts'
export type { ClientOptions } from './library/client-options.ts'
export { type Client, createClient } from './library/create-client.ts'
export {
  definePrompt,
  type Prompt,
  type PromptFields,
  type SchemaPromptFields,
} from './library/define-prompt.ts'
export { type Estimate, estimate } from './library/estimate.ts'
export type { Pause, Retry } from './library/events.ts'
export { folderStore } from './library/folder-store.ts'
export { ClaudeBatchError, type Problem } from './library/library-error.ts'
export type { Price } from './library/library-prices.ts'
export { type LoadPromptOptions, loadPrompt } from './library/library-prompt.ts'
export type { OfficialClient } from './library/official-client.ts'
export type { FailedText, Outcome, PendingText, SummarizedText } from './library/public-outcome.ts'
export type { Question, QuestionFields, SchemaQuestion } from './library/question.ts'
export type { Completion } from './library/request-completion.ts'
export type { Progress } from './library/run-progress.ts'
export type { SchemaData } from './library/schema-data.ts'
export type { Spending, Totals, Usage } from './library/spending.ts'
export { memoryStore, type Store } from './library/store.ts'
export { type SummarizeAllOptions, summarizeAll } from './library/summarize-all.ts'
export type { SummarizeOptions } from './library/summarize-options.ts'
export type { Text, Texts, UnreadableText } from './library/text-source.ts'
export type { TextStream } from './library/text-stream.ts'
export type { Fetch } from './library/web-types.ts'
