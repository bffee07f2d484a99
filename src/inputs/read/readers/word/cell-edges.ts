/** A row by the edges of its cells. */
interface RowEdges {
  /** The number of its cells. */
  readonly cells: number
  /** The positions of the left edge of each cell and of the last right edge, in twips. */
  readonly edges: readonly number[] | undefined
}

/** Edges that are closer to each other than this are the same, in twips: 1 mm. */
const tolerance = 57

/**
 * Returns the column of each cell of each row, from 0. Cells of different rows are in the same column if their left
 * edges have the same position. A row without positions has its cells in the first columns.
 */
export function findColumns(rows: readonly RowEdges[]): readonly (readonly number[])[] {
  const known = rows.map(({ cells, edges = [] }) =>
    edges.length > cells && isAscending(edges) ? edges.slice(0, cells) : undefined,
  )
  const starts: number[] = []
  for (const edge of [...new Set(known.flatMap((edges) => edges ?? []))].sort((a, b) => a - b))
    if (edge - (starts.at(-1) ?? Number.NEGATIVE_INFINITY) > tolerance) starts.push(edge)
  return known.map((edges, row) => {
    const places: number[] = []
    for (let cell = 0; cell < (rows[row]?.cells ?? 0); cell++) {
      const next = (places.at(-1) ?? -1) + 1
      const edge = edges?.[cell]
      places.push(edge === undefined ? next : Math.max(next, findLast(starts, edge)))
    }
    return places
  })
}

function isAscending(edges: readonly number[]): boolean {
  return edges.every((edge, index) => index === 0 || edge >= (edges[index - 1] ?? edge))
}

/** Returns the index of the last start that is not after an edge; the starts are sorted. */
function findLast(starts: readonly number[], edge: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= edge) low = middle + 1
    else high = middle
  }
  return low - 1
}
