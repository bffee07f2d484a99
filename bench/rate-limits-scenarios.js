import { createSeededRandom, sampleLogNormal } from '../.build/random.js'

// Upper bounds of a result: run time relative to the best possible, and the share of requests with a 429.
const clean = { time: 1.05, limited: 0.01 }
const faulty = { time: 1.15, limited: 0.03 }
const second = 1 / 60

/**
 * Returns the scenarios. `limits` are per minute; `burst` is the size of the bucket as a share of a minute.
 * @param short for CI: fewer documents, and only the outage of the faults
 */
export function scenarios(short) {
  const count = short ? 120 : 500
  const rpm = { rpm: 1200, itpm: 1e9, otpm: 1e9, burst: second }
  const itpm = { rpm: 1e6, itpm: 300_000, otpm: 1e9, burst: second }
  const otpm = { rpm: 1e6, itpm: 1e9, otpm: 96_000, burst: second }
  const half = (count / 1200) * 60 * 0.5
  const base = {
    count,
    tokens: 40,
    latencyMs: 500,
    limits: rpm,
    bounds: clean,
    peerPools: [10, 40],
    service: () => service({ latencyMs: 500 }),
  }
  const flags = ['--rpm', '1200']
  const all = [
    { ...base, name: 'requests/min', flags },
    {
      ...base,
      name: 'input tokens/min',
      limits: itpm,
      tokens: 300,
      latencyMs: 800,
      flags: ['--itpm', '300000'],
      peerPools: [16, 53],
      service: () => service({ latencyMs: 800 }),
    },
    { ...base, name: 'output tokens/min', limits: otpm, flags: ['--otpm', '96000'] },
    {
      ...base,
      name: 'sizes log-normal, a few giants',
      limits: itpm,
      tokens: 300,
      sigma: 0.8,
      giants: 3,
      latencyMs: 800,
      flags: ['--itpm', '300000'],
      peerPools: [16, 53],
      service: () => service({ latencyMs: 800 }),
    },
    { ...base, name: 'limits unknown', bounds: { ...clean, time: 1.1 } },
    { ...base, name: 'flags three times too high', flags: ['--rpm', '3600'] },
    {
      ...base,
      name: 'flags three times too low',
      count: Math.round(count / 3),
      flagRpm: 400,
      flags: ['--rpm', '400'],
    },
    { ...base, name: 'another client takes half', other: { fromSeconds: half, share: 0.5 }, flags },
    {
      ...base,
      name: 'latency doubles',
      service: () => service({ latencyMs: (t) => (t < half ? 500 : 1000) }),
      flags,
      latencyMs: 1000,
    },
    {
      ...base,
      name: '5 % 529',
      bounds: faulty,
      service: () => service({ latencyMs: 500, faults: { overloaded: 0.05 } }),
      extra: 0.05,
      flags,
    },
    {
      ...base,
      name: 'outage of 10 s',
      bounds: faulty,
      outage: 10,
      service: () => service({ latencyMs: 500, outage: [half, half + 10] }),
      flags,
    },
    {
      ...base,
      name: '1 % resets',
      bounds: faulty,
      service: () => service({ latencyMs: 500, faults: { reset: 0.01 } }),
      flags,
    },
    {
      ...base,
      name: 'everything combined',
      bounds: faulty,
      outage: 10,
      other: { fromSeconds: half + 10, share: 0.25 },
      service: () =>
        service({
          latencyMs: (t) => (t < half ? 500 : 800),
          faults: { overloaded: 0.03, reset: 0.01 },
          outage: [half, half + 10],
        }),
      flags: [],
    },
  ]
  const inShort = [
    'requests/min',
    'input tokens/min',
    'limits unknown',
    'flags three times too high',
    'outage of 10 s',
  ]
  return short ? all.filter(({ name }) => inShort.includes(name)) : all
}

/**
 * Creates a service whose latency and faults depend on the time since its first request. Each reply has 80
 * tokens.
 */
function service({ latencyMs, faults = {}, outage }) {
  const random = createSeededRandom(11)
  const text = 'x'.repeat(200)
  let first
  let last = 0
  const script = () => {
    const now = performance.now()
    first ??= now
    const t = (now - first) / 1000
    const median = typeof latencyMs === 'function' ? latencyMs(t) : latencyMs
    const delayMs = sampleLogNormal(random, median, 0.1)
    const point = random()
    if (outage !== undefined && t >= outage[0] && t < outage[1])
      return { kind: 'status', status: 503, delayMs: 20 }
    if (point < (faults.overloaded ?? 0)) return { kind: 'status', status: 529, delayMs: 50 }
    if (point < (faults.overloaded ?? 0) + (faults.reset ?? 0))
      return { kind: 'reset', inBody: false, delayMs }
    last = Math.max(last, now + delayMs)
    return { kind: 'answer', delayMs, text }
  }
  let began
  return {
    script: (incoming) => {
      began ??= performance.now()
      return script(incoming)
    },
    /** Returns the milliseconds from the first request to the end of the last reply. */
    lastAnswer: () => last - began,
  }
}
