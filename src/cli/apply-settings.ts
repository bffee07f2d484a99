import { resolve } from 'node:path'
import type { Command } from 'commander'
import { batchesFlags, collectFlags } from '../config/batches-flags.ts'
import { compareFlags } from '../config/compare-flags.ts'
import type { Flag } from '../config/flag.ts'
import { indexFlagsByKey } from '../config/flag-names.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { combineSettingValues } from '../config/setting-value.ts'
import { summarizeFlags } from '../config/summarize-flags.ts'
import type { Runtime } from '../runtime.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Leaves out `out` and `models`: in a configuration file, they are the folder for summaries and the ids of
 * models.
 */
const { out: _out, models: _models, ...compareSettings } = compareFlags

/** Leaves out `id` and `wait`, which make sense only on the command line. */
const { id: _id, ...batchSettings } = batchesFlags
const { wait: _wait, ...collectSettings } = collectFlags

/** The commands whose flags a configuration file and the environment may set. */
const configurableFlags: Readonly<Record<string, Readonly<Record<string, Flag>>>> = {
  summarize: summarizeFlags,
  config: summarizeFlags,
  doctor: summarizeFlags,
  compare: compareSettings,
  serve: serveFlags,
  status: batchSettings,
  cancel: batchSettings,
  collect: collectSettings,
}

/** The commands that do what `--progress` says. Others only read the setting, to show it. */
const commandsWithProgress: ReadonlySet<string> = new Set(['summarize', 'compare', 'collect'])

/**
 * Makes every message an event if the arguments or the environment ask for it: for errors and warnings before the settings
 * are read.
 */
export async function startEventsEarly(runtime: Runtime): Promise<void> {
  const { argv, env } = runtime
  const end = argv.indexOf('--')
  const flags = ` ${argv.slice(0, end === -1 ? undefined : end).join(' ')}`
  const [, flag] = [...flags.matchAll(/ --progress[ =](\S+)/g)].at(-1) ?? []
  const isSettable = argv.some((word) => commandsWithProgress.has(word))
  const mode = flag ?? (isSettable ? env['CLAUDE_BATCH_PROGRESS'] : undefined)
  if (mode === 'json') await startEvents(runtime)
}

async function startEvents(runtime: Runtime): Promise<void> {
  const { stderr, clock, redirectWarnings } = runtime
  const { writeEventsTo } = await import('../ui/event-writer.ts')
  writeEventsTo(stderr, clock.wallTime)
  redirectWarnings((text) => printMessage(runtime, text))
}

/**
 * Sets the flags that the command line does not set, from the environment and the configuration files. The
 * origin of each value becomes its option value source in commander. Then prints warnings, so that they are events if
 * a setting says so.
 * @throws UsageError for a wrong value or a configuration file that cannot be used
 */
export async function applySettings(command: Command, runtime: Runtime): Promise<void> {
  const flags = configurableFlags[command.name()]
  if (flags === undefined) return
  const { resolveSettings } = await import('../config/resolve-settings.ts')
  const { config, profile } = command.opts<{ config?: string; profile?: string }>()
  const warnings: string[] = []
  const warn = (text: string) => void warnings.push(text)
  const inputs = command.args.filter((text) => text !== '-')
  try {
    const settings = await resolveSettings(flags, {
      env: runtime.env,
      cwd: runtime.cwd,
      uid: runtime.uid,
      knownFlags: indexFlagsByKey(compareSettings, serveFlags, summarizeFlags),
      inputRoots: inputs.map((text) => resolve(runtime.cwd, text)),
      config,
      profile,
      isOnCommandLine: (name) => command.getOptionValueSource(name) === 'cli',
      onSkipped: (file, reason) => warn(`${file} is not read: ${reason}; name it with --config to use it`),
      onWarning: warn,
    })
    for (const [name, setting] of settings) {
      const isOnCommandLine = command.getOptionValueSource(name) === 'cli'
      const commandLineValue = { value: command.getOptionValue(name) as unknown, origin: 'command line' }
      if (isOnCommandLine && !flags[name]?.accumulates) continue
      const { value, origin } =
        combineSettingValues(flags[name], [setting, isOnCommandLine ? commandLineValue : undefined]) ??
        setting
      command.setOptionValueWithSource(name, value, origin)
    }
  } finally {
    if (commandsWithProgress.has(command.name()) && command.getOptionValue('progress') === 'json')
      await startEvents(runtime)
    for (const text of warnings) printMessage(runtime, text)
  }
}
