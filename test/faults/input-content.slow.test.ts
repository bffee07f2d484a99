import { readFileSync } from 'node:fs'
import { readFile, truncate } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createCompoundFile } from '../support/compound.ts'
import { createTiff } from '../support/create-tiff.ts'
import { createOutlookFile } from '../support/outlook.ts'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runOnTerminal, whyTerminalUnavailable } from '../support/terminal.ts'
import { createZip } from '../support/zip.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`

it('I08 a file that is too large is not read and costs no memory', async () => {
  const cwd = await createFolder({
    'docs/a.md': prose('ale'),
    'docs/big.md': '',
    'peak.mjs': `import { writeFileSync } from 'node:fs'
      process.on('exit', () => writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)))`,
  })
  const { env } = await startService({})
  const peak = async (size: number) => {
    await truncate(join(cwd, 'docs/big.md'), size)
    const NODE_OPTIONS = `--import=${join(cwd, 'peak.mjs')}`
    const more = { PEAK: join(cwd, 'peak'), NODE_OPTIONS }
    const run = { cwd, env: { ...env, ...more }, alsoWrites: ['peak'], inOwnProcess: true }
    await runChecked(['summarize', 'docs'], run)
    return Number(await readFile(join(cwd, 'peak'), 'utf8')) / 1000
  }
  const without = await peak(0)
  expect(await peak(500_000_000)).toBeLessThan(without + 20)
})

it('I36 a terminal on stdin leads to a hint and exit 2, without waiting', async (context) => {
  const why = whyTerminalUnavailable()
  if (why !== undefined) return context.skip(why)
  const cwd = await createFolder({})
  const { env, simulator } = await startService({})
  const { code, shown } = await runOnTerminal(['summarize', '-'], { cwd, env })
  expect(code).toBe(2)
  expect(shown).toContain('stdin is a terminal; pipe something into it (for example: cat notes.md |')
  expect(simulator.stats().requests).toBe(0)
})

describe('I38 a hostile document', () => {
  const word = (content: string) =>
    createZip({
      '[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
      'word/document.xml': `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${content}</w:body></w:document>`,
    })
  const pages = (count: number) => {
    const numbers = Array.from({ length: count }, (_, n) => n + 3)
    const page = (n: number) => `${n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n`
    return `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count ${count}/Kids[${numbers.map((n) => `${n} 0 R`).join(' ')}]>>endobj
${numbers.map(page).join('')}trailer<</Root 1 0 R>>`
  }
  const readImage = (name: string) => readFileSync(resolve(import.meta.dirname, '../../fixtures/kinds', name))
  const oldWord = (pieces: Buffer) => {
    const main = Buffer.alloc(2048)
    main.writeUInt16LE(0xa5ec, 0)
    main.writeUInt32LE(pieces.length, 0x1a6)
    return { WordDocument: main, '0Table': Buffer.concat([pieces, Buffer.alloc(9)]) }
  }
  /** A text of two billion characters. */
  const endlessText = () => {
    const pieces = Buffer.alloc(21)
    pieces.writeUInt8(2, 0)
    pieces.writeUInt32LE(16, 1)
    pieces.writeUInt32LE(0x7fffffff, 9)
    return createCompoundFile(oldWord(pieces))
  }
  /** The first sector of the document follows itself, and so does that of the directory. */
  const circles = () => {
    const file = createCompoundFile(oldWord(Buffer.alloc(9)))
    const directory = file.readUInt32LE(48)
    const table = (file.readUInt32LE(76) + 1) * 4096
    file.writeUInt32LE(0, table)
    file.writeUInt32LE(directory, table + directory * 4)
    return file
  }
  const packedRtf = (references: number) => {
    const packed: number[] = []
    let writeAt = 207
    for (let n = 0; n < references; n++) {
      if (n % 8 === 0) packed.push(0xff)
      packed.push(((writeAt + 1) % 4096) >> 4, ((((writeAt + 1) % 4096) & 0xf) << 4) | 0xf)
      writeAt = (writeAt + 17) % 4096
    }
    const header = Buffer.alloc(16)
    header.writeUInt32LE(packed.length + 12, 0)
    header.write('LZFu', 8)
    return Buffer.concat([header, Buffer.from(packed)])
  }
  const files: Readonly<Record<string, readonly [() => Buffer | string, RegExp]>> = {
    'bomb.docx': [() => word(' '.repeat(300_000_000)), /too_large: it unpacks to more than 64 MB/],
    'tags.docx': [
      () => word('<w:tbl><w:tr><w:tc>'.repeat(1_000_000)),
      /too_complex: its tags are nested more than 10000 deep/,
    ],
    'parts.epub': [
      () =>
        createZip({
          mimetype: 'application/epub+zip',
          'META-INF/container.xml': '<container/>',
          ...Object.fromEntries(Array.from({ length: 21_000 }, (_, n) => [`${n}`, ''])),
        }),
      /too_complex: it is an archive of more than 20000 files/,
    ],
    'pages.pdf': [() => pages(100_000), /too_complex: it has 100000 pages, more than 5000; split it/],
    'empty-pages.pdf': [() => pages(3), /no_text: no text on its 3 pages; is it a scan\?/],
    'broken.pdf': [() => `%PDF-1.7\n${'\x01'.repeat(1000)}`, /malformed: cannot be read as PDF/],
    'broken.docx': [() => Buffer.from('PK\x03\x04nothing of that'), /malformed: cannot be read as Word/],
    'scripts.html': [
      () => `<script>${'alert(1);'.repeat(5_500_000)}</script>`,
      /too_large: larger than 10 MB/,
    ],
    'endless.csv': [() => 'a;b;'.repeat(5_000_000), /too_large: larger than 10 MB \(20 MB\)/],
    'nested.html': [() => '<div>'.repeat(1_900_000), /too_complex: its tags are nested more than 10000 deep/],
    'page.png': [
      () => '<!DOCTYPE html><title>Sign in',
      /not_an_image: page\.png is not an image but an HTML page/,
    ],
    'empty.jpg': [() => '', /empty: the file is empty/],
    'huge.png': [
      () => readImage('image.png').fill(0x7f, 16, 24),
      /too_large: the image has 2139062143 × 2139062143 pixels/,
    ],
    'cut.webp': [() => readImage('image.webp').subarray(0, 100), /malformed: the image is incomplete/],
    'huge.tif': [
      () => createTiff({ width: 60_000, height: 60_000, data: Buffer.alloc(9) }),
      /too_large: page 1 of the TIFF has 60000 × 60000 pixels/,
    ],
    'bomb.tif': [
      () =>
        createTiff({
          width: 90,
          height: 90,
          data: deflateSync(Buffer.alloc(500_000_000)),
          tags: { 259: 8 },
        }),
      /malformed: page 1 of the TIFF is damaged/,
    ],
    'circle.tif': [
      () => {
        const bytes = createTiff({ width: 2, height: 2, data: Buffer.alloc(4) })
        bytes.copy(bytes, bytes.length - 4, 4, 8)
        return bytes
      },
      /malformed: the TIFF is incomplete/,
    ],
    'circles.doc': [circles, /malformed: it is damaged/],
    'endless.doc': [endlessText, /too_large: it holds more than 10 million characters/],
    'nowhere.doc': [
      () => Buffer.from(createCompoundFile({ WordDocument: Buffer.alloc(9) }).fill(0xee, 44, 80)),
      /malformed: the file is incomplete/,
    ],
    'unmarked.doc': [
      () => Buffer.from(createCompoundFile({ WordDocument: Buffer.alloc(9) }).fill(0xff, 44, 80)),
      /malformed: it is damaged: it has no directory/,
    ],
    'groups.rtf': [
      () => `{\\rtf1 ${'{'.repeat(1_000_000)}`,
      /too_complex: its groups are nested more than 10000 deep/,
    ],
    'cells.rtf': [
      () => `{\\rtf1\\trowd\\cellx9 ${'\\cell'.repeat(2_000_000)}`,
      /too_complex: it has more than 1000000 paragraphs and cells/,
    ],
    'pictures.rtf': [
      () => `{\\rtf1 Ferries{\\pict ${'{89504e47}'.repeat(2_000_000)}}}`,
      /^\[simulated\] [\s\S]*Ferries/,
    ],
    'bomb.msg': [
      () => createOutlookFile({ properties: { '0037': 'Ferries', 1009: packedRtf(4_000_000) } }),
      /too_large: its text unpacks to more than 64 MB/,
    ],
    'entities.odt': [
      () =>
        createZip({
          mimetype: 'application/vnd.oasis.opendocument.text',
          'content.xml': `<!DOCTYPE x [<!ENTITY a "${'ha'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]><office:document-content><text:p>${'&b;'.repeat(1000)}</text:p></office:document-content>`,
        }),
      // Any outcome is right as long as the entities are not expanded.
      /^\[simulated\]|no_text|malformed/,
    ],
  }

  it('fails within seconds and little memory, with the reason, and the other documents are summarized', async () => {
    const made = Object.fromEntries(Object.entries(files).map(([name, [make]]) => [`docs/${name}`, make()]))
    const cwd = await createFolder({
      ...made,
      'docs/good.md': prose('ale'),
      'peak.mjs': `import { writeFileSync } from 'node:fs'
        process.on('exit', () => writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)))`,
    })
    const { env } = await startService({})
    const more = { PEAK: join(cwd, 'peak'), NODE_OPTIONS: `--import=${join(cwd, 'peak.mjs')}` }
    const run = { cwd, env: { ...env, ...more }, alsoWrites: ['peak'], inOwnProcess: true }
    const { code, written } = await runChecked(
      ['summarize', 'docs', '--pdf', 'text', '--ext', '+png,+jpg,+webp,+tif'],
      run,
    )
    expect(code).toBe(1)
    expect(written['docs/good.md.summary.md']).toContain('ale')
    for (const [name, [, why]] of Object.entries(files)) {
      const text = written[`docs/${name}.error.txt`] ?? written[`docs/${name}.summary.md`]
      expect([name, text]).toEqual([name, expect.stringMatching(why)])
    }
    // Up to 64 MB may be unpacked, stored as UTF-16, and copied once more.
    expect(Number(await readFile(join(cwd, 'peak'), 'utf8')) / 1000).toBeLessThan(600)
  })
})
