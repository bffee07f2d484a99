/** A page of a test PDF. */
export interface TestPage {
  /** Operators that draw the page. */
  readonly content: string
  /** Entries of annotations. */
  readonly annotations?: readonly string[]
  /** Entries of the resources, besides the font `/F1` and the image `/Im1`. */
  readonly resources?: string
}

/** Entries of other parts of a test PDF. */
export interface TestPdfOptions {
  readonly catalog?: string
  readonly font?: string
  /** Objects, from number 10 on. */
  readonly objects?: readonly string[]
  readonly trailer?: string
  /** Entries of resources that all pages have in common. Their own ones are then left out. */
  readonly sharedResources?: string
}

/** Returns a PDF without a table of its objects, which readers then search. */
export function createPdf(
  pages: readonly TestPage[],
  { catalog = '', font = '', objects = [], trailer = '', sharedResources }: TestPdfOptions = {},
): Buffer {
  const first = 10 + objects.length
  const body = pages.map(({ content, annotations = [], resources = '' }, n) => {
    const annots = annotations.map((entries) => `<</Type/Annot ${entries}>>`).join(' ')
    const ownResources = `/Resources<</Font<</F1 3 0 R>>/XObject<</Im1 4 0 R>>${resources}>>`
    return `${first + 2 * n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents ${first + 2 * n + 1} 0 R${sharedResources === undefined ? ownResources : ''}/Annots[${annots}]>>endobj
${first + 2 * n + 1} 0 obj${toStream('', content)}endobj
`
  })
  const kids = pages.map((_, n) => `${first + 2 * n} 0 R`).join(' ')
  return Buffer.from(
    `%PDF-1.7
1 0 obj<</Type/Catalog/Pages 2 0 R ${catalog}>>endobj
2 0 obj<</Type/Pages/Count ${pages.length}/Kids[${kids}]/Resources<<${sharedResources ?? ''}>>>>endobj
3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding ${font}>>endobj
4 0 obj${toStream('/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray', 'x'.repeat(64))}endobj
${objects.map((object, n) => `${10 + n} 0 obj${object}endobj\n`).join('')}${body.join('')}trailer<</Root 1 0 R ${trailer}>>
`,
    'latin1',
  )
}

/** Returns a stream object without compression. */
export function toStream(entries: string, content: string): string {
  return `<<${entries}/Length ${content.length}>>stream\n${content}\nendstream `
}

/** Returns operators that show a text. */
export function show(text: string, x = 50, y = 700, size = 10): string {
  return `BT /F1 ${size} Tf ${x} ${y} Td (${text}) Tj ET\n`
}

/** Operators that draw an image. */
export const image = 'q 600 0 0 800 0 0 cm /Im1 Do Q\n'
