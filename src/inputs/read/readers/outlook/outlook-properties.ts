import type { CompoundFolder } from '../compound-file.ts'
import { type DecodePage, findCodePage } from '../rtf/code-page.ts'

/** Properties of a message, an attachment or a recipient, by the numbers in the specification. */
export const outlookProperties = {
  messageClass: 0x001a,
  subject: 0x0037,
  sentAt: 0x0039,
  sentForName: 0x0042,
  senderName: 0x0c1a,
  senderType: 0x0c1e,
  senderAddress: 0x0c1f,
  recipientType: 0x0c15,
  shownCc: 0x0e03,
  shownTo: 0x0e04,
  receivedAt: 0x0e06,
  plainBody: 0x1000,
  rtfBody: 0x1009,
  htmlBody: 0x1013,
  name: 0x3001,
  addressType: 0x3002,
  address: 0x3003,
  internetAddress: 0x39fe,
  attachedData: 0x3701,
  shortFileName: 0x3704,
  longFileName: 0x3707,
  mediaType: 0x370e,
  internetCodePage: 0x3fde,
  language: 0x3ff1,
  codePage: 0x3ffd,
  senderInternetAddress: 0x5d01,
} as const

/** Reads the properties of one folder of a message. */
export interface OutlookProperties {
  /** Returns a text without white space around it, or `''`. */
  readText(property: number): string
  readBytes(property: number): Buffer | undefined
  readNumber(property: number): number | undefined
  readTime(property: number): Date | undefined
  /** Returns the folder of an attached message. */
  findFolder(property: number): CompoundFolder | undefined
}

/** Types of properties. */
const [singleByteText, wideText, binary, object] = ['001e', '001f', '0102', '000d']

/**
 * Returns the properties of a folder.
 * @param headerBytes size of the header before the properties of fixed size
 * @param decode of texts that are not Unicode
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxmsg
 */
export function openOutlookProperties(
  { streams, folders }: CompoundFolder,
  headerBytes: number,
  decode: DecodePage,
): OutlookProperties {
  const list = streams.get('__properties_version1.0')?.read() ?? Buffer.alloc(0)
  const values = new Map<number, Buffer>()
  for (let at = headerBytes; at + 16 <= list.length; at += 16)
    values.set(list.readUInt16LE(at + 2), list.subarray(at + 8, at + 16))
  const read = (property: number, type: string) => streams.get(nameStream(property, type))?.read()
  return {
    readText(property) {
      const wide = read(property, wideText)
      const text =
        wide === undefined
          ? decode(read(property, singleByteText) ?? Buffer.alloc(0))
          : wide.toString('utf16le')
      return text.replaceAll('\0', '').trim()
    },
    readBytes: (property) => read(property, binary),
    readNumber: (property) => values.get(property)?.readInt32LE(0),
    readTime(property) {
      const value = values.get(property)?.readBigUInt64LE(0)
      return value === undefined || value === 0n ? undefined : toDate(value)
    },
    findFolder: (property) => folders.get(nameStream(property, object)),
  }
}

/** Returns the code page of texts that are not Unicode. */
export function findMessagePage({ readNumber }: OutlookProperties): DecodePage {
  const language = readNumber(outlookProperties.language) ?? 0
  const page = readNumber(outlookProperties.codePage) ?? pageByLanguage.get(language & 0x3ff)
  return findCodePage(page === 950 && language === simplifiedChinese ? 936 : (page ?? 1252))
}

const simplifiedChinese = 0x804

/** Code pages by the language of Windows, without its country. */
const pageByLanguage: ReadonlyMap<number, number> = new Map([
  [0x01, 1256],
  [0x02, 1251],
  [0x04, 950],
  [0x05, 1250],
  [0x08, 1253],
  [0x0d, 1255],
  [0x0e, 1250],
  [0x11, 932],
  [0x12, 949],
  [0x15, 1250],
  [0x18, 1250],
  [0x19, 1251],
  [0x1a, 1250],
  [0x1b, 1250],
  [0x1e, 874],
  [0x1f, 1254],
  [0x22, 1251],
  [0x24, 1250],
  [0x25, 1257],
  [0x26, 1257],
  [0x27, 1257],
  [0x2a, 1258],
])

/** Properties that each file numbers itself, by the numbers in the specification. */
export const namedProperties = { startsAt: 0x820d, endsAt: 0x820e, place: 0x8208 } as const

/**
 * Returns the numbers that a file gives to named properties.
 * @param folder the main folder of the file
 */
export function readNamedProperties(folder: CompoundFolder): ReadonlyMap<number, number> {
  const names = folder.folders.get('__nameid_version1.0')
  const list = names?.streams.get(nameStream(3, binary))?.read() ?? Buffer.alloc(0)
  const numbers = new Map<number, number>()
  for (let at = 0; at + 8 <= list.length; at += 8) {
    const hasText = (list.readUInt16LE(at + 4) & 1) === 1
    if (!hasText) numbers.set(list.readUInt32LE(at), firstNamed + list.readUInt16LE(at + 6))
  }
  return numbers
}

const firstNamed = 0x8000

function nameStream(property: number, type: string): string {
  return `__substg1.0_${property.toString(16).padStart(4, '0')}${type}`
}

/** Returns the moment of a number of 100 ns since 1601; undefined for one that no calendar has. */
function toDate(value: bigint): Date | undefined {
  const date = new Date(Number(value / 10_000n) - 11_644_473_600_000)
  return Number.isNaN(date.getTime()) ? undefined : date
}
