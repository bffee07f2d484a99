import { describe, expect, it } from 'vitest'
import { createTimeBudget } from '../../../../src/inputs/read/readers/time-budget.ts'

/** Creates a budget of one minute, and a function that lets time pass before the next check. */
function setting() {
  let [time, cpuTime] = [0, 0]
  const budget = createTimeBudget(60_000, 1000, { now: () => time, getCpuTimeMs: () => cpuTime })
  const check = (elapsedMs: number, cpuMs: number) => {
    time += elapsedMs
    cpuTime += cpuMs
    return budget.findExceededLimit()
  }
  const checkTimes = (count: number, elapsedMs: number, cpuMs: number) =>
    Array.from({ length: count }, () => check(elapsedMs, cpuMs)).at(-1)
  return { check, checkTimes }
}

describe('the time budget of a reader', () => {
  it('ends after as much time as the limit if the thread runs all the time', () => {
    const { checkTimes, check } = setting()
    expect(checkTimes(60, 1000, 1000)).toBeUndefined()
    expect(check(1000, 1000)).toBe(60_000)
  })

  it('does not count the CPU time of several threads twice', () => {
    expect(setting().checkTimes(60, 1000, 4000)).toBeUndefined()
  })

  it('does not count time in which a busy machine did not run the process', () => {
    const { checkTimes } = setting()
    expect(checkTimes(500, 1000, 100)).toBeUndefined()
    expect(checkTimes(11, 1000, 1000)).toBe(60_000)
  })

  it('does not count the time of a suspended machine', () => {
    const { checkTimes, check } = setting()
    expect(checkTimes(50, 1000, 1000)).toBeUndefined()
    expect(check(8 * 3_600_000, 200)).toBeUndefined()
    expect(checkTimes(9, 1000, 1000)).toBeUndefined()
  })

  it('ends after ten times the limit for a thread that hangs without using the CPU', () => {
    const { checkTimes, check } = setting()
    expect(checkTimes(600, 1000, 0)).toBeUndefined()
    expect(check(1000, 0)).toBe(600_000)
  })
})
