import type { InputProblem } from '../../../core/document/document.ts'
import { maxTokensPerImage } from '../../../core/document/upload.ts'
import { detectArchiveFormat } from './archive-format.ts'
import { isCompoundFile } from './compound-file.ts'
import { detectCompoundFormat, encryptedProblem } from './compound-format.ts'
import { otherImage } from './formats-without-reader.ts'
import { identifyContent, sniffedBytes } from './identify-content.ts'
import { detectImageType } from './image-header.ts'
import type { PdfMode } from './pdf.ts'
import { findPlaceholderProblem } from './placeholder-file.ts'
import { findUnsupportedFormat } from './unsupported-formats.ts'
import { findWrongContent } from './wrong-content.ts'

/** A document format whose text must be extracted by a reader. */
export interface DocumentFormat {
  /** Name for messages, such as `PDF`. */
  readonly name: string
  /** One document of the format, with its article: `a PDF`. */
  readonly noun: string
  readonly extensions: readonly string[]
  /**
   * `text`: the reader takes decoded text; `archive`: a zip archive of several files; `bytes`: any other
   * binary format.
   */
  readonly container: 'text' | 'archive' | 'bytes'
  /**
   * Whether all of the text may be in images. A document without words is then a failure, because a summary
   * of it would be invented.
   */
  readonly mayBeImages: boolean
}

/** All formats that have a reader. Every other file is plain text or unusable. */
export const documentFormats = {
  html: {
    name: 'HTML',
    noun: 'an HTML page',
    extensions: ['html', 'htm', 'xhtml'],
    container: 'text',
    mayBeImages: false,
  },
  email: {
    name: 'e-mail',
    noun: 'an e-mail',
    extensions: ['eml', 'mbox'],
    container: 'bytes',
    mayBeImages: false,
  },
  subtitles: {
    name: 'subtitles',
    noun: 'a subtitle file',
    extensions: ['srt', 'vtt'],
    container: 'text',
    mayBeImages: false,
  },
  notebook: {
    name: 'notebooks',
    noun: 'a notebook',
    extensions: ['ipynb'],
    container: 'text',
    mayBeImages: false,
  },
  image: {
    name: 'an image',
    noun: 'an image',
    extensions: ['png', 'jpg', 'jpeg', 'jpe', 'jfif', 'gif', 'webp'],
    container: 'bytes',
    mayBeImages: false,
  },
  tiff: {
    name: 'TIFF',
    noun: 'a TIFF image',
    extensions: ['tif', 'tiff'],
    container: 'bytes',
    mayBeImages: false,
  },
  pdf: { name: 'PDF', noun: 'a PDF', extensions: ['pdf'], container: 'bytes', mayBeImages: true },
  docx: {
    name: 'Word',
    noun: 'a Word document',
    extensions: ['docx', 'docm', 'dotx', 'dotm'],
    container: 'archive',
    mayBeImages: true,
  },
  msg: {
    name: 'Outlook',
    noun: 'an Outlook message',
    extensions: ['msg'],
    container: 'bytes',
    mayBeImages: false,
  },
  doc: {
    name: 'Word 97 to 2003',
    noun: 'a Word 97 document',
    extensions: ['doc'],
    container: 'bytes',
    mayBeImages: true,
  },
  rtf: { name: 'RTF', noun: 'an RTF file', extensions: ['rtf'], container: 'bytes', mayBeImages: true },
  odf: {
    name: 'OpenDocument',
    noun: 'an OpenDocument file',
    extensions: ['odt', 'odp', 'ods', 'ott', 'otp', 'ots'],
    container: 'archive',
    mayBeImages: true,
  },
  epub: { name: 'EPUB', noun: 'an EPUB', extensions: ['epub'], container: 'archive', mayBeImages: true },
  pptx: {
    name: 'PowerPoint',
    noun: 'a PowerPoint presentation',
    extensions: ['pptx', 'pptm', 'ppsx', 'ppsm', 'potx', 'potm'],
    container: 'archive',
    mayBeImages: true,
  },
  xlsx: {
    name: 'Excel',
    noun: 'an Excel workbook',
    extensions: ['xlsx', 'xlsm', 'xltx', 'xltm'],
    container: 'archive',
    mayBeImages: false,
  },
} as const satisfies Record<string, DocumentFormat>

export type FormatName = keyof typeof documentFormats

const formatByExtension: ReadonlyMap<string, FormatName> = new Map(
  Object.entries(documentFormats).flatMap(([name, { extensions }]) =>
    extensions.map((extension) => [extension, name as FormatName] as const),
  ),
)

/** Returns the format by file extension; undefined for plain text and unknown extensions. */
export function findFormatByName(path: string): FormatName | undefined {
  return formatByExtension.get(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
}

/**
 * Returns how many characters of a request a file may become. Packed formats also contain markup and images. An image is
 * taken to be one page, and as large as a model can see it.
 * @param bytes the size of the file
 */
export function estimateCharacters(path: string, bytes: number): number {
  const format = findFormatByName(path)
  if (format === undefined || documentFormats[format].container === 'text' || format === 'email') return bytes
  return isImage(format) ? Math.min(bytes, maxTokensPerImage * 2.5) : 0.2 * bytes
}

/**
 * Detects the format of a file by its first bytes, otherwise by its name; undefined for plain text. A file
 * that is not what its extension promises is a problem, unless it has another format that can be read. An image under the
 * name of a document is a problem, too: it costs a request, and the user asked for no images.
 */
export function detectFormat(path: string, bytes: Buffer): FormatName | InputProblem | undefined {
  const placeholder = findPlaceholderProblem(path, bytes)
  if (placeholder !== undefined) return placeholder
  const namedFormat = findFormatByName(path)
  const start = bytes.subarray(0, sniffedBytes).toString('latin1')
  if (start.startsWith('%PDF-') || (namedFormat === 'pdf' && mayBePdf(start, bytes))) return 'pdf'
  const imageFormat = detectImageFormat(bytes)
  if (imageFormat !== undefined && (namedFormat === undefined || isImage(namedFormat))) return imageFormat
  if (/^(?:\xef\xbb\xbf)?\s*\{\\rtf/.test(start)) return 'rtf'
  if (start.startsWith('PK\x03\x04')) {
    const archiveFormat = detectArchiveFormat(namedFormat, bytes)
    if (archiveFormat !== undefined) return archiveFormat
  }
  // Phones give photos in HEIC the name of a JPEG.
  if (namedFormat !== undefined && isImage(namedFormat) && otherImage.signature?.test(start))
    return findUnsupportedFormat(path, bytes)
  if (isCompoundFile(bytes)) {
    const compoundFormat = detectCompoundFormat(bytes)
    if (compoundFormat === 'encrypted') return encryptedProblem
    if (compoundFormat === 'doc' || compoundFormat === 'msg') return compoundFormat
    // The reader reports what is wrong with a damaged file.
    if (compoundFormat === 'unknown' && (namedFormat === 'doc' || namedFormat === 'msg')) return namedFormat
  }
  if (namedFormat === 'doc' || namedFormat === 'rtf' || namedFormat === 'msg') {
    const { kind } = identifyContent(bytes)
    if (kind === 'html' || kind === 'markup') return 'html'
    if (kind === 'text') return looksLikeMail(bytes) ? 'email' : undefined
  }
  if (namedFormat !== undefined)
    return (
      findWrongContent(path, bytes, { format: namedFormat, ...documentFormats[namedFormat] }) ?? namedFormat
    )
  if (looksLikeMail(bytes)) return 'email'
  const problem = findUnsupportedFormat(path, bytes)
  if (problem !== undefined) return problem
  return /\.[a-z0-9]+$/i.test(path) || !looksLikeHtml.test(start) ? undefined : 'html'
}

function isImage(format: FormatName): boolean {
  return format === 'image' || format === 'tiff'
}

/** Detects the format of an image by its first bytes. */
export function detectImageFormat(bytes: Buffer): 'image' | 'tiff' | undefined {
  if (detectImageType(bytes) !== undefined) return 'image'
  return tiffSignature.test(bytes.toString('latin1', 0, 4)) ? 'tiff' : undefined
}

/** TIFF, and BigTIFF for files of 4 GB. */
const tiffSignature = /^(?:II[*+]\0|MM\0[*+])/

/**
 * Whether a file named like a PDF may be one. Some programs write a line before the header, or no header, and
 * PDF readers accept it.
 */
function mayBePdf(start: string, bytes: Buffer): boolean {
  return /%PDF-|\b\d+ \d+ obj\b/.test(start) || bytes.subarray(-sniffedBytes).includes('startxref')
}

/** Matches the start of an HTML page without a file extension, for example from stdin. */
const looksLikeHtml = /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)/i

/** More than the headers of nearly every mail. Bytes. */
const maxHeaderBytes = 65_536

/**
 * Whether a file begins with the headers of a mail. Files of a Maildir, mailboxes of a mail server and mails
 * on stdin have no `.eml` or `.mbox` in their names, and web archives may be called `.doc`.
 */
function looksLikeMail(bytes: Buffer): boolean {
  const [headers = ''] = bytes.toString('latin1', 0, maxHeaderBytes).split(/\r?\n\r?\n/, 1)
  const isMail = /^From:/im.test(headers) && /^(?:Message-ID|MIME-Version|Received):/im.test(headers)
  const isWebArchive =
    /^MIME-Version:/im.test(headers) && /^Content-Type:\s*multipart\/related/im.test(headers)
  if (!isMail && !isWebArchive) return false
  return headers
    .replace(/^From [^\n]*\n/, '')
    .split('\n')
    .every((line) => /^(?:[!-9;-~]+:|[ \t])/.test(line))
}

/** Settings that affect the texts of documents. */
export interface ReaderSettings {
  /** The encoding of text that is not UTF-8; see `decodeText`. */
  readonly encoding?: string | undefined
  /** Whether PDFs are sent as text or uploaded. @default 'text' */
  readonly pdf?: PdfMode | undefined
  /** Whether summaries will cite the documents. It affects what is known about uploads, and no text that is sent. */
  readonly citations?: boolean | undefined
}

/**
 * Returns what affects the texts of documents besides their bytes, for the settings hash. It does not depend
 * on a document's name: a PDF may have any name.
 */
export function listReaderSettings({ encoding, pdf }: ReaderSettings): readonly unknown[] {
  return [readersVersion, encoding ?? null, pdf ?? null]
}

/**
 * Raise this number whenever a reader or its library returns different text, so that documents are read
 * again.
 */
const readersVersion = 5
