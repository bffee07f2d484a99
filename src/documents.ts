export type { Mark, MarkedText, MarkKind } from './core/document/mark.ts'
export type { Image, ImageMediaType, Images, Pdf, Upload } from './core/document/upload.ts'
export type { Problem } from './library/library-error.ts'
export { readDocuments } from './library/read-documents.ts'
export type {
  DocumentData,
  DocumentInput,
  DocumentInputs,
  ReadDocumentsOptions,
  SkippedDocuments,
} from './library/read-documents-options.ts'
export type { NamedText, UnreadableText } from './library/text-source.ts'
