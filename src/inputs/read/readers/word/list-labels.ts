import { formatListNumber } from './list-number.ts'
import type { WordList } from './word-numbering.ts'
import type { ParagraphProperties, WordStyle } from './word-styles.ts'

/** Counts the paragraphs of lists. */
export interface ListLabels {
  /**
   * Returns the label and level of the next paragraph with these properties; undefined if it is in no list.
   * The label of a bullet is `-`.
   */
  next(direct: ParagraphProperties, style: WordStyle): ListPosition | undefined
}

export interface ListPosition {
  readonly label: string
  /** From 0. */
  readonly level: number
}

/** Returns the labels of lists, as Word shows them: `1.`, `(a)`, `Article II`, `3.2.1`. */
export function createListLabels(lists: ReadonlyMap<string, WordList>): ListLabels {
  const counters = new Map<string, (number | undefined)[]>()
  const started = new Set<string>()
  const count = (id: string, list: WordList, level: number): readonly (number | undefined)[] => {
    const numbers = counters.get(list.countersId) ?? []
    counters.set(list.countersId, numbers)
    const restart = started.has(`${id} ${level}`) ? undefined : list.startOverrides.get(level)
    started.add(`${id} ${level}`)
    // A level that was skipped counts as begun.
    for (let outer = 0; outer < level; outer++) numbers[outer] ??= list.levels.get(outer)?.start ?? 1
    const last = numbers[level]
    numbers[level] = restart ?? (last === undefined ? (list.levels.get(level)?.start ?? 1) : last + 1)
    for (let deeper = level + 1; deeper < numbers.length; deeper++)
      if (level < (list.levels.get(deeper)?.restartAfter ?? deeper)) numbers[deeper] = undefined
    return numbers
  }
  return {
    next(direct, style) {
      const id = direct.listId ?? style.listId
      const list = id === undefined ? undefined : lists.get(id)
      if (id === undefined || list === undefined) return undefined
      const level = findLevel(list, direct, style)
      const numbers = count(id, list, level)
      return { label: formatLabel(list, level, numbers), level }
    },
  }
}

/** Returns the level of a paragraph: its own, the one that belongs to its style, or the style's. */
function findLevel(list: WordList, direct: ParagraphProperties, style: WordStyle): number {
  if (direct.listLevel !== undefined) return direct.listLevel
  if (direct.listId === undefined)
    for (const [level, { styleId }] of list.levels)
      if (styleId !== undefined && style.ids.includes(styleId)) return level
  return style.listLevel ?? 0
}

function formatLabel(list: WordList, level: number, numbers: readonly (number | undefined)[]): string {
  const { format, text, isLegal } = list.levels.get(level) ?? { format: 'decimal', text: '', isLegal: false }
  if (format === 'bullet') return '-'
  return text
    .replace(/%([1-9])/g, (_, digit: string) => {
      const at = Number(digit) - 1
      if (at > level) return ''
      const shown = list.levels.get(at)
      const number = numbers[at] ?? shown?.start ?? 1
      return formatListNumber(number, isLegal ? 'decimal' : (shown?.format ?? 'decimal'))
    })
    .trim()
}
