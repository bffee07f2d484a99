import { readFile } from 'node:fs/promises'
import { brotliDecompressSync } from 'node:zlib'
import { resolveAsset } from '../../../assets.ts'

/** Gives pdf.js its maps for Chinese, Japanese and Korean fonts, which the build packs into one file. */
export class CharacterMaps {
  #maps: Promise<ReadonlyMap<string, Uint8Array>> | undefined

  /** Returns a map in the format of pdf.js. @throws Error if there is no map of this name */
  async fetch({ name }: { readonly name: string }): Promise<{ cMapData: Uint8Array; isCompressed: true }> {
    this.#maps ??= readCharacterMaps()
    const cMapData = (await this.#maps).get(name)
    if (cMapData === undefined) throw new Error(`there is no character map ${name}`)
    return { cMapData, isCompressed: true }
  }
}

/** Reads the file that `scripts/character-maps.js` writes. */
async function readCharacterMaps(): Promise<ReadonlyMap<string, Uint8Array>> {
  const packed = brotliDecompressSync(await readFile(resolveAsset('../dist/character-maps.br')))
  let offset = packed.indexOf('\n') + 1
  const lengths = JSON.parse(packed.toString('utf8', 0, offset)) as Record<string, number>
  const maps = new Map<string, Uint8Array>()
  for (const [name, length] of Object.entries(lengths)) {
    maps.set(name, Uint8Array.from(packed.subarray(offset, offset + length)))
    offset += length
  }
  return maps
}
