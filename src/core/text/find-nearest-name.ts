/** Returns the name that the user most likely meant; undefined if none is similar. */
export function findNearestName(name: string, names: Iterable<string>): string | undefined {
  let nearestName: string | undefined
  let smallestDistance = Math.max(2, name.length / 3) + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < smallestDistance) [nearestName, smallestDistance] = [candidate, distance]
  }
  return nearestName
}

/** Returns how many characters must be inserted, deleted, replaced, or swapped with the next one. */
function editDistance(a: string, b: string): number {
  let above: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (b[j] === a[i] ? 0 : 1)
      const swapped =
        i > 0 && j > 0 && a[i - 1] === b[j] && a[i] === b[j - 1] ? (above[j - 1] ?? 0) + 1 : replaced
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    above = row
    row = next
  }
  return row[b.length] ?? 0
}
