import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ConversionRequest } from '../../../../src/inputs/read/readers/convert-document.ts'
import { createThreadReader } from '../../../../src/inputs/read/readers/read-in-thread.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const docx = async (): Promise<ConversionRequest> => ({
  format: 'docx',
  pdf: 'text',
  bytes: await readFile(join(folder, 'pandoc.docx')),
})
const pdf = async (): Promise<ConversionRequest> => ({
  format: 'pdf',
  pdf: 'text',
  bytes: await readFile(join(folder, 'libreoffice.pdf')),
})

describe('a thread reader', () => {
  it('reads documents one after the other', async () => {
    const read = createThreadReader()
    const texts = await Promise.all([docx(), pdf(), docx()].map(async (it) => read(await it)))
    expect(texts).toEqual(
      texts.map(() => ({ text: expect.stringContaining('Norvik'), marks: expect.any(Array) })),
    )
  })

  it('gives up on a document that takes too long, and reads the next', async () => {
    const impatient = createThreadReader({ timeoutMs: 1 })
    expect(await impatient(await pdf())).toMatchObject({ action: 'fail', type: 'too_slow' })
    expect(await impatient(await pdf())).toMatchObject({ action: 'fail', type: 'too_slow' })
  })

  it('reads a document for longer than the limit if the machine does not run the thread', async () => {
    const read = createThreadReader({ timeoutMs: 1, now: () => 0, getCpuTimeMs: () => 0 })
    expect(await read(await pdf())).toMatchObject({ text: expect.stringContaining('Norvik') })
  })

  it('gives up on a document after the CPU time of its limit', async () => {
    let minutes = 0
    const getCpuTimeMs = () => minutes++ * 60_000
    const read = createThreadReader({ timeoutMs: 1, now: getCpuTimeMs, getCpuTimeMs })
    expect(await read(await pdf())).toMatchObject({ action: 'fail', type: 'too_slow' })
  })

  it('gives up on a document that takes too much memory, and reads the next', async () => {
    // A few megabytes are not even enough to load the library.
    const small = createThreadReader({ memoryMb: 8 })
    expect(await small(await pdf())).toMatchObject({ action: 'fail', type: 'too_complex' })
    expect(
      await small({
        format: 'subtitles',
        pdf: 'text',
        bytes: Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nHello\n'),
      }),
    ).toMatchObject({ text: expect.stringContaining('Hello') })
  })
})
