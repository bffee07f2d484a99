import { describe, expect, it } from 'vitest'
import { simulateFlags } from '../../src/config/simulate-flags.ts'
import { type Behaviour, createSeededScript, faults, parseFaults } from '../../src/simulator/script.ts'
import { type MessageRequest, validateRequest } from '../../src/simulator/validate-request.ts'

const request = validateRequest(
  { model: 'claude-haiku-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'x' }] },
  'messages',
) as MessageRequest

const played = (
  seed: number,
  rates: Parameters<typeof createSeededScript>[0] = {},
  length = 300,
): Behaviour[] => {
  const script = createSeededScript(rates, seed, { medianMs: 100, sigma: 0.3 })
  return Array.from({ length }, (_, index) => script({ index, request }))
}

describe('the seeded script', () => {
  it('repeats itself for the same seed, and differs for another', () => {
    const rates = { '529': 0.2, reset: 0.2, empty: 0.1 }
    expect(played(7, rates)).toEqual(played(7, rates))
    expect(played(7, rates)).not.toEqual(played(8, rates))
  })

  it('approximates the rates in the long run', () => {
    const resets = played(1, { reset: 0.25 }, 4000).filter(({ kind }) => kind === 'reset').length
    expect(resets / 4000).toBeGreaterThan(0.22)
    expect(resets / 4000).toBeLessThan(0.28)
  })

  it('has delays around the median, and never a delay of zero', () => {
    const delays = played(3, {}, 2000).map((behaviour) =>
      behaviour.kind === 'answer' ? behaviour.delayMs : 0,
    )
    const faster = delays.filter((delay) => delay < 100).length
    expect(faster).toBeGreaterThan(900)
    expect(faster).toBeLessThan(1100)
    expect(Math.min(...delays)).toBeGreaterThan(0)
  })

  it('has only faults that the help names', () => {
    for (const name of Object.keys(faults).filter((name) => !/^\d+$/.test(name)))
      expect(simulateFlags.fault.help).toContain(name)
  })

  it('produces every fault, and only that one at a rate of 1', () => {
    for (const name of Object.keys(faults)) {
      const kinds = new Set(played(1, { [name]: 1 }, 20).map(({ kind }) => kind))
      expect(kinds.size).toBe(1)
    }
  })
})

describe('parseFaults', () => {
  it('reads each fault with its rate', () => {
    expect(parseFaults('529=0.05,reset=0.01, max_tokens=0.5')).toEqual({
      '529': 0.05,
      reset: 0.01,
      max_tokens: 0.5,
    })
  })

  it.each([
    ['592=0.1', '592'],
    ['', '""'],
    ['reset', 'reset'],
    ['529=often', 'often'],
    ['529=1.5', '1.5'],
    ['529=-0.1', '-0.1'],
    ['529=0.6,reset=0.6', 'more than 1'],
    ['constructor=1', 'constructor'],
  ])('reports in one line what is wrong with %j', (text, wrong) => {
    const message = (() => {
      try {
        parseFaults(text)
        return 'nothing'
      } catch (error) {
        return (error as Error).message
      }
    })()
    expect(message).toContain(wrong)
    expect(message).not.toContain('\n')
  })
})
