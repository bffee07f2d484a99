import type { DoctorOptions } from '../config/doctor-flags.ts'
import { formatChecks, formatChecksAsJson } from '../doctor/format-checks.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { chooseExit, type Exit, exitCodes } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'

/**
 * Checks everything that a run with these options needs, and prints what to do about each problem.
 * @param origins where the value of each setting comes from
 * @returns how a run would end because of the most important problem; `ok` without one
 */
export async function doctor(
  options: DoctorOptions,
  origins: readonly string[],
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const checks = await runChecks(options, origins, runtime, version, new AbortController().signal)
  const exit = chooseExit(checks.flatMap(({ exit }) => (exit === undefined ? [] : [exit])))
  const text = options.json ? formatChecksAsJson(checks, exitCodes[exit].code) : formatChecks(checks)
  await createStreamWriter(runtime.stdout, 'stdout')(text)
  return exit
}
