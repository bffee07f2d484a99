import type { SimulateOptions } from '../config/simulate-flags.ts'
import { CommandLineError, type Exit, ExitError } from '../errors.ts'
import { createPdfPageReader } from '../run/read-pdf-pages.ts'
import type { Runtime } from '../runtime.ts'
import { type FaultName, parseFaults } from '../simulator/script.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Runs the simulator until a signal stops it. Prints its URL on stdout, for scripts.
 * @throws UsageError, ExitError
 */
export async function simulate(options: SimulateOptions, runtime: Runtime): Promise<Exit> {
  const { port, rpm, itpm, otpm, seed } = options
  const simulator = await startSimulator({
    port,
    limits: { rpm, itpm, otpm },
    latency: { medianMs: options.latency * 1000 },
    faults: parseFaultsFlag(options.fault),
    seed,
    readPdf: createPdfPageReader(),
    batches: { durationMs: options.batchDuration * 1000, maxQueuedRequests: options.batchQueue },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE')
      throw new ExitError('ioError', `port ${port} is in use; choose another with --port`)
    if (error.code === 'EACCES')
      throw new ExitError('ioError', `port ${port} may not be used; choose one above 1023`)
    throw error
  })
  runtime.stdout.write(`${simulator.url}\n`)
  printMessage(
    runtime,
    `try it: ANTHROPIC_BASE_URL=${simulator.url} ANTHROPIC_API_KEY=any claude-batch summarize ./docs`,
  )
  await new Promise<void>((resolve) => {
    const stopListening = runtime.onStopSignal(() => {
      stopListening()
      resolve()
    })
  })
  const { requests, billed, batches, batchBilled } = simulator.stats()
  await simulator.close()
  printMessage(
    runtime,
    `${requests} requests; billed: ${billed.requests} replies, ${billed.inputTokens} tokens in, ${billed.outputTokens} out`,
  )
  if (batches.created > 0)
    printMessage(
      runtime,
      `${batches.created} batches of ${batches.requests} requests; billed at half the price: ${batchBilled.requests} replies, ${batchBilled.inputTokens} tokens in, ${batchBilled.outputTokens} out`,
    )
  return 'ok'
}

function parseFaultsFlag(list: string | undefined): Partial<Record<FaultName, number>> {
  try {
    return list === undefined ? {} : parseFaults(list)
  } catch (error) {
    throw new CommandLineError(`--fault: ${(error as Error).message}`)
  }
}
