import { toHeadingLevel, type WordStyle, type WordStyles } from '../word/word-styles.ts'

/** The styles of a file while they are read. */
export interface RtfStyles extends WordStyles {
  /** Begins the definition of a style. */
  begin(): void
  setId(id: number): void
  setParent(id: number): void
  /** @param outline from 0; 9 for body text */
  setOutline(outline: number): void
  addToName(character: string): void
  /** Ends the definition. */
  end(): void
}

interface Style {
  name: string
  parent: number | undefined
  outline: number | undefined
}

/** Returns the styles of a file that has defined none yet. */
export function createRtfStyles(): RtfStyles {
  const styles = new Map<number, Style>()
  let [id, current]: [number, Style] = [0, { name: '', parent: undefined, outline: undefined }]
  const findHeading = (from: number): number | undefined => {
    let at: number | undefined = from
    for (let n = 0; n < maxParents && at !== undefined; n++) {
      const style: Style | undefined = styles.get(at)
      const named = /^heading ([1-9])$/i.exec(style?.name.trim() ?? '')?.[1]
      if (named !== undefined) return Number(named)
      if (/^title$/i.test(style?.name.trim() ?? '')) return 1
      if (style?.outline !== undefined) return toHeadingLevel(style.outline)
      at = style?.parent
    }
    return undefined
  }
  return {
    begin() {
      id = 0
      current = { name: '', parent: undefined, outline: undefined }
    },
    setId(value) {
      id = value
    },
    setParent(value) {
      current.parent = value
    },
    setOutline(outline) {
      current.outline = outline
    },
    addToName(character) {
      if (character !== ';' && current.name.length < maxNameChars) current.name += character
    },
    end: () => void styles.set(id, current),
    find: (name): WordStyle => ({ ids: [name ?? '0'], headingLevel: findHeading(Number(name ?? '0')) }),
    isHidden: () => false,
  }
}

/** Maximum number of styles that one is based on, which also ends circles. */
const maxParents = 20

const maxNameChars = 100
