import { formatDuration } from '../../core/text/format-duration.ts'
import type { AxisMark } from './column-chart.ts'

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
/** Steps of the axis: milliseconds. */
const axisSteps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 30, 100, 365].map((n) => n * day),
]

/** Returns at most five round times from 0 up to a length in milliseconds. */
export function buildTimeAxis(lengthMs: number): AxisMark[] {
  const step = axisSteps.find((step) => step * 4.5 >= lengthMs) ?? lengthMs
  const count = Math.floor(lengthMs / step) + 1
  return Array.from({ length: count }, (_, n) => ({
    at: (n * step) / lengthMs,
    text: n === 0 ? '0' : formatDuration(n * step),
  }))
}
