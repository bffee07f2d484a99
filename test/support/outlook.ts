import { type CompoundContent, createCompoundFile } from './compound.ts'

/** A value of a property: a text, bytes, or a number. */
type Value = string | Buffer | number | Date

/** Properties by their numbers in hexadecimal; a text is stored as Unicode. */
type OutlookValues = Readonly<Record<string, Value>>

export interface OutlookContent {
  readonly properties: OutlookValues
  readonly recipients?: readonly OutlookValues[]
  readonly attachments?: readonly (OutlookValues | { readonly message: OutlookContent })[]
}

/** Returns a message as Outlook saves it (.msg). */
export function createOutlookFile(content: OutlookContent): Buffer {
  return createCompoundFile(toFolder(content, 32))
}

function toFolder(content: OutlookContent, headerBytes: number): CompoundContent {
  const { properties, recipients = [], attachments = [] } = content
  return {
    ...toStreams(properties, headerBytes),
    ...Object.fromEntries(
      recipients.map((values, n) => [`__recip_version1.0_#0000000${n}`, toStreams(values, 8)]),
    ),
    ...Object.fromEntries(
      attachments.map((attachment, n) => [
        `__attach_version1.0_#0000000${n}`,
        isMessage(attachment)
          ? { ...toStreams({}, 8), '__substg1.0_3701000D': toFolder(attachment.message, 24) }
          : toStreams(attachment, 8),
      ]),
    ),
  }
}

function isMessage(
  attachment: OutlookValues | { readonly message: OutlookContent },
): attachment is { readonly message: OutlookContent } {
  return 'message' in attachment && typeof attachment.message === 'object'
}

function toStreams(values: OutlookValues, headerBytes: number): CompoundContent {
  const streams: Record<string, Buffer> = {}
  const list = [Buffer.alloc(headerBytes)]
  for (const [name, value] of Object.entries(values)) {
    const entry = Buffer.alloc(16)
    entry.writeUInt16LE(Number.parseInt(name.slice(0, 4), 16), 2)
    if (typeof value === 'number') entry.writeInt32LE(value, 8)
    else if (value instanceof Date)
      entry.writeBigUInt64LE(BigInt(value.getTime() + 11_644_473_600_000) * 10_000n, 8)
    else {
      // A name with a type, such as `0037001E`, is stored unchanged.
      const type = name.length > 4 ? '' : typeof value === 'string' ? '001F' : '0102'
      streams[`__substg1.0_${name}${type}`] =
        typeof value === 'string' ? Buffer.from(value, 'utf16le') : value
    }
    list.push(entry)
  }
  return { '__properties_version1.0': Buffer.concat(list), ...streams }
}
