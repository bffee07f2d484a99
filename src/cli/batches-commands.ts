import {
  type BatchesOptions,
  batchesFlags,
  type CollectOptions,
  collectFlags,
} from '../config/batches-flags.ts'
import type { CommandSpec } from './command-spec.ts'
import { outputFolderArgument } from './output-folder-argument.ts'

/** The subcommands of `batches`. */
export const batchesCommands: readonly CommandSpec[] = [
  {
    name: 'list',
    description: 'list the batches recorded in the output folder (no network)',
    arguments: [outputFolderArgument],
    async run([dir]: [string], _options: object, { runtime }) {
      const { listBatches } = await import('../commands/batches/list.ts')
      return listBatches(dir, runtime)
    },
  },
  {
    name: 'status',
    description: 'show the status of the batches at the API',
    arguments: [outputFolderArgument],
    flags: batchesFlags,
    async run([dir]: [string], options: BatchesOptions, { runtime }) {
      const { showBatchStatus } = await import('../commands/batches/status.ts')
      return showBatchStatus(dir, options, runtime)
    },
  },
  {
    name: 'collect',
    description: 'fetch the summaries of batches that have ended',
    arguments: [outputFolderArgument],
    flags: collectFlags,
    async run([dir]: [string], options: CollectOptions, { runtime, version }) {
      const { collectBatches } = await import('../commands/batches/collect.ts')
      return collectBatches(dir, options, runtime, version)
    },
  },
  {
    name: 'cancel',
    description: 'cancel batches; results that are ready by then are billed and can still be collected',
    arguments: [outputFolderArgument],
    flags: batchesFlags,
    async run([dir]: [string], options: BatchesOptions, { runtime, version }) {
      const { cancelBatches } = await import('../commands/batches/cancel.ts')
      return cancelBatches(dir, options, runtime, version)
    },
  },
]
