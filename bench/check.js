// Compares the ratios of a benchmark with the recorded ones, so that CI finds what has become slower.
import { readFile, writeFile } from 'node:fs/promises'

/** A ratio may be this many times the recorded one, because machines differ and are noisy. */
const room = 1.5

/**
 * Writes the result of a benchmark to the file of `--json`. With `--check`, compares its ratios with those of the recorded
 * result, and makes the process fail if one of them is larger than noise explains.
 * @param name of the recorded result: `start` for bench/start.json
 * @param toRatios returns the ratios of a result by their names; smaller is better
 */
export async function finish(name, result, toRatios, { json, check }) {
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`)
  if (!check) return
  const recorded = toRatios(JSON.parse(await readFile(new URL(`${name}.json`, import.meta.url), 'utf8')))
  for (const [what, ratio] of Object.entries(toRatios(result))) {
    const isAllowed = ratio <= recorded[what] * room
    console.log(
      `${isAllowed ? 'ok' : 'TOO LARGE'}: ${what}: ${ratio.toFixed(2)}, recorded ${recorded[what]?.toFixed(2)}`,
    )
    if (!isAllowed) process.exitCode = 1
  }
}

/** The options of the command line that {@link finish} takes. */
export const finishOptions = { json: { type: 'string' }, check: { type: 'boolean', default: false } }
