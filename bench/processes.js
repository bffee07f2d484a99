import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

export const bin = fileURLToPath(new URL('../bin/claude-batch.js', import.meta.url))

/**
 * A preloaded module that writes user, system and all CPU time (ms) and peak memory (MB) to file descriptor 3 when the
 * process exits.
 */
const usageReporter = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>{const{user,system}=process.cpuUsage();writeSync(3,JSON.stringify({userMs:user/1000,systemMs:system/1000,cpuMs:(user+system)/1000,peakMb:process.resourceUsage().maxRSS/1024}))})`

/** Starts zero-server.js in a separate process. */
export async function zeroServer() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('zero-server.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise((resolve) =>
    child.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
  )
  return { url, close: () => child.kill() }
}

/** Runs Node. @returns wall time, user CPU and all CPU time in ms, peak memory in MB @throws Error if it fails */
export async function timed(args, { cwd, url }) {
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'bench' }
  const { code, stderr, ...usage } = await measureNode(args, { cwd, env })
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
  return usage
}

/** Runs Node. @returns wall time, user CPU and all CPU time in ms, peak memory in MB, exit code and stderr */
export async function measureNode(args, { cwd, env }) {
  const start = performance.now()
  const child = spawn(process.execPath, ['--import', usageReporter, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let [usage, stderr] = ['', '']
  child.stdio[3].on('data', (chunk) => {
    usage += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code, stderr, ms: performance.now() - start, ...(usage !== '' && JSON.parse(usage)) }
}

/** Returns the minimum, median and maximum. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const round = (value) => Math.round(value * 100) / 100
  return { min: round(sorted[0]), median: round(sorted[sorted.length >> 1]), max: round(sorted.at(-1)) }
}

/** The machine that the figures were measured on. */
export const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.versions.node }

/** Sets fields of a JSON file, and keeps its other fields. */
export async function updateJson(file, fields) {
  const present = await readFile(file, 'utf8').then(JSON.parse, () => ({}))
  await writeFile(file, `${JSON.stringify({ ...present, ...fields }, null, 2)}\n`)
}
