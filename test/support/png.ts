import { inflateSync } from 'node:zlib'

/** Decodes a PNG with 8 bits per sample, without interlacing, whose rows all have filter 2. */
export function decodePng(bytes: Uint8Array) {
  const png = Buffer.from(bytes)
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const samplesPerPixel = png[25] === 2 ? 3 : 1
  const data = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
  const rowBytes = width * samplesPerPixel
  const samples = Buffer.alloc(height * rowBytes)
  for (let y = 0; y < height; y++)
    for (let n = 0; n < rowBytes; n++)
      samples[y * rowBytes + n] =
        (data[y * (rowBytes + 1) + 1 + n] as number) +
        (y === 0 ? 0 : (samples[(y - 1) * rowBytes + n] as number))
  return {
    width,
    height,
    /** The colour of a pixel: red, green and blue, or one number if the image is gray. */
    getPixel: (x: number, y: number) => {
      const at = (y * width + x) * samplesPerPixel
      return [...samples.subarray(at, at + samplesPerPixel)]
    },
  }
}
