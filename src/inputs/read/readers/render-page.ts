/** Pixels with transparency: four bytes each, red, green, blue and alpha. */
export interface RgbaPixels {
  readonly rgba: Uint8Array
  readonly width: number
  readonly height: number
}

/** Pixels on white: three bytes each, or one if the image is gray. */
export interface OpaquePixels {
  readonly samples: Uint8Array
  readonly samplesPerPixel: 1 | 3
  readonly width: number
  readonly height: number
}

export interface RenderOptions {
  /** The maximum width and height in pixels. */
  readonly maxSide: number
  /** The tag `Orientation` of TIFF, from 1 to 8; other values mean 1, upright. */
  readonly orientation: number
  /** Width of a pixel's place divided by its height, in dots per inch: 2 for a fax in low resolution. */
  readonly aspect: number
}

/** Draws an image on white, upright, with square pixels, and makes it smaller if it is too large. */
export function renderPage(
  pixels: RgbaPixels,
  { maxSide, orientation, aspect }: RenderOptions,
): OpaquePixels {
  const [fullWidth, fullHeight] = [
    pixels.width * (aspect < 1 && aspect >= 1 / maxAspect ? 1 / aspect : 1),
    pixels.height * (aspect > 1 && aspect <= maxAspect ? aspect : 1),
  ]
  const scale = Math.min(1, maxSide / Math.max(fullWidth, fullHeight))
  const width = Math.max(1, Math.round(fullWidth * scale))
  const height = Math.max(1, Math.round(fullHeight * scale))
  const samples = scaleOnWhite(pixels, { width, height }, placeUpright(orientation, width, height))
  const isTurned = orientation >= 5 && orientation <= 8
  const size = isTurned ? { width: height, height: width } : { width, height }
  return isGray(samples)
    ? { ...size, samples: samples.filter((_, n) => n % 3 === 0), samplesPerPixel: 1 }
    : { ...size, samples, samplesPerPixel: 3 }
}

/** Resolutions that differ more are not believed. */
const maxAspect = 3

/** Where pixels go: `start + x * stepX + y * stepY` is the number of a pixel in the upright image. */
interface Placement {
  readonly start: number
  readonly stepX: number
  readonly stepY: number
}

/** Returns the mean colours of the rectangles that become pixels, on white. One plain loop, for speed. */
function scaleOnWhite(
  { rgba, width: fromWidth, height: fromHeight }: RgbaPixels,
  { width, height }: { readonly width: number; readonly height: number },
  { start, stepX, stepY }: Placement,
): Uint8Array {
  const samples = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * fromHeight) / height)
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * fromHeight) / height))
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * fromWidth) / width)
      const right = Math.max(left + 1, Math.floor(((x + 1) * fromWidth) / width))
      let [red, green, blue] = [0, 0, 0]
      for (let row = top; row < bottom; row++) {
        const end = 4 * (row * fromWidth + right)
        for (let at = 4 * (row * fromWidth + left); at < end; at += 4) {
          const opacity = (rgba[at + 3] as number) / 255
          const white = 255 - 255 * opacity
          red += white + opacity * (rgba[at] as number)
          green += white + opacity * (rgba[at + 1] as number)
          blue += white + opacity * (rgba[at + 2] as number)
        }
      }
      const count = (right - left) * (bottom - top)
      const to = 3 * (start + x * stepX + y * stepY)
      samples[to] = Math.round(red / count)
      samples[to + 1] = Math.round(green / count)
      samples[to + 2] = Math.round(blue / count)
    }
  }
  return samples
}

function isGray(samples: Uint8Array): boolean {
  for (let at = 0; at < samples.length; at += 3)
    if (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2]) return false
  return true
}

/** @see https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf (page 36) */
function placeUpright(orientation: number, width: number, height: number): Placement {
  const [right, bottom] = [width - 1, height - 1]
  const placements: Readonly<Record<number, Placement>> = {
    2: { start: right, stepX: -1, stepY: width },
    3: { start: bottom * width + right, stepX: -1, stepY: -width },
    4: { start: bottom * width, stepX: 1, stepY: -width },
    5: { start: 0, stepX: height, stepY: 1 },
    6: { start: bottom, stepX: height, stepY: -1 },
    7: { start: right * height + bottom, stepX: -height, stepY: -1 },
    8: { start: right * height, stepX: -height, stepY: 1 },
  }
  return placements[orientation] ?? { start: 0, stepX: 1, stepY: width }
}
