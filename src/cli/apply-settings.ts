import { resolve } from 'node:path'
import type { Command } from 'commander'
import { batchFlags, collectFlags } from '../config/batches-flags.ts'
import { compareFlags } from '../config/compare-flags.ts'
import type { Flag } from '../config/flag.ts'
import { summarizeFlags } from '../config/flags.ts'
import { combined } from '../config/given.ts'
import { byKey } from '../config/key.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { printable } from '../core/text/escape-control.ts'
import type { World } from '../runtime.ts'

/** The `out` of a file is where summaries go, and no place for a comparison. */
const { out: _out, ...compareSettings } = compareFlags

/** Which batches, and whether to wait for them, is a matter of the moment. */
const { id: _id, ...batchSettings } = batchFlags
const { wait: _wait, ...collectSettings } = collectFlags

/** The commands whose flags a configuration file and the environment may set. */
const configurable: Readonly<Record<string, Readonly<Record<string, Flag>>>> = {
  summarize: summarizeFlags,
  config: summarizeFlags,
  compare: compareSettings,
  serve: serveFlags,
  status: batchSettings,
  cancel: batchSettings,
  collect: collectSettings,
}

/**
 * Fills in what the command line left open from the environment and a configuration file; the origin of each value
 * becomes its source.
 * @throws UsageError
 */
export async function fillIn(command: Command, world: World): Promise<void> {
  const table = configurable[command.name()]
  if (table === undefined) return
  const { settingsFor } = await import('../config/apply.ts')
  const { config, profile } = command.opts<{ config?: string; profile?: string }>()
  const warn = (text: string) => void world.stderr.write(`claude-batch: ${printable(text)}\n`)
  const inputs = command.args.filter((text) => text !== '-')
  const settings = await settingsFor(table, {
    env: world.env,
    cwd: world.cwd,
    uid: world.uid,
    known: byKey(compareFlags, serveFlags, summarizeFlags),
    inputRoots: inputs.map((text) => resolve(world.cwd, text)),
    config,
    profile,
    isOnCommandLine: (name) => command.getOptionValueSource(name) === 'cli',
    passedOver: (file, why) => warn(`${file} is not read: ${why}; name it with --config to use it`),
    warn,
  })
  for (const [name, setting] of settings) {
    const isGiven = command.getOptionValueSource(name) === 'cli'
    const given = { value: command.getOptionValue(name) as unknown, origin: 'command line' }
    if (isGiven && !table[name]?.adds) continue
    const { value, origin } = combined(table[name], [setting, isGiven ? given : undefined]) ?? setting
    command.setOptionValueWithSource(name, value, origin)
  }
}
