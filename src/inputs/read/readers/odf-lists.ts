import type { OdfStyles } from './odf-styles.ts'

/** Reads the lists of an OpenDocument file. */
export interface OdfLists {
  startList(style: string | undefined): void
  endList(): void
  startItem(): void
  /** Returns the mark of the next paragraph, such as `- ` or `1. `; undefined if it does not begin an item. */
  takeMark(): string | undefined
  /** Returns the number of lists around the current place. */
  depth(): number
}

/** Returns a reader of lists. A mark is indented by two spaces for each list around its list. */
export function createOdfLists(styles: OdfStyles): OdfLists {
  const lists: { readonly style: string; number: number }[] = []
  let isItemStart = false
  return {
    startList: (style) => void lists.push({ style: style ?? lists.at(-1)?.style ?? '', number: 1 }),
    endList: () => void lists.pop(),
    startItem() {
      isItemStart = true
    },
    takeMark() {
      if (!isItemStart) return undefined
      isItemStart = false
      const list = lists.at(-1)
      const mark =
        list !== undefined && styles.isNumbered(list.style, lists.length) ? `${list.number++}. ` : '- '
      return '  '.repeat(Math.max(0, lists.length - 1)) + mark
    },
    depth: () => lists.length,
  }
}
