import { type PdfFile, withPdf } from './load-pdfjs.ts'

/**
 * Returns which of the pages show something that is not text: an image, or a drawing, such as letters that
 * were converted to outlines. Images are not decoded.
 * @param max how many pages are searched for
 */
export async function findPagesWithPictures(
  file: PdfFile,
  numbers: readonly number[],
  max: number,
): Promise<ReadonlySet<number>> {
  const search = async (stopping: PdfFile) => {
    const found = new Set<number>()
    for (const number of numbers) {
      if (await hasPicture(number, file, stopping)) found.add(number)
      if (found.size >= max) break
    }
    return found
  }
  return withPdf(await file.getData(), search, { stopAtImages: true })
}

/**
 * Returns whether the operators end early in the file that stops at images: pdfjs reports images in no other
 * way without decoding them. What a page with an error shows is unknown, so it counts, too.
 */
async function hasPicture(number: number, file: PdfFile, stopping: PdfFile): Promise<boolean> {
  const all = await listOperators(file, number)
  const untilImage = await listOperators(stopping, number)
  if (all === undefined || untilImage === undefined) return true
  return untilImage.length < all.length || all.filter((code) => code === constructPath).length > maxPaths
}

async function listOperators(file: PdfFile, number: number): Promise<readonly number[] | undefined> {
  try {
    const page = await file.getPage(number)
    const { fnArray } = await page.getOperatorList({ annotationMode: withoutAnnotations })
    page.cleanup()
    return fnArray
  } catch {
    return undefined
  }
}

/** `AnnotationMode.DISABLE` of pdfjs. */
const withoutAnnotations = 0

/** The operator `OPS.constructPath` of pdfjs. */
const constructPath = 91

/** Lines and frames of an otherwise empty page. */
const maxPaths = 40
