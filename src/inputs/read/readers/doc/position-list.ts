/** A list of ranges with a record of fixed size for each (a PLC): `length + 1` positions, then the records. */
export interface PositionList {
  readonly length: number
  /** Returns where a range begins; the end of the last one for the index `length`. */
  position(index: number): number
  record(index: number): Buffer
}

/** Parses a list of ranges. @param recordBytes size of a record in bytes */
export function readPositionList(bytes: Buffer, recordBytes: number): PositionList {
  const length = Math.max(0, Math.floor((bytes.length - 4) / (4 + recordBytes)))
  const records = (length + 1) * 4
  return {
    length,
    position: (index) => bytes.readUInt32LE(index * 4),
    record: (index) => bytes.subarray(records + index * recordBytes, records + (index + 1) * recordBytes),
  }
}
