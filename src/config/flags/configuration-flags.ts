import type { Flag } from '../flag.ts'
import { hosts, text } from '../flag-parsers.ts'

/** Flags for configuration files, profiles and permissions. */
export const configurationFlags = {
  config: {
    group: 'Configuration',
    syntax: '--config <file>',
    help: 'read settings only from this file (default: claude-batch.yaml here or in a parent directory, then ~/.config/claude-batch/config.yaml)',
    parse: text,
  },
  profile: {
    group: 'Configuration',
    syntax: '--profile <name>',
    help: 'also apply the profile of this name, from profiles: in the configuration file',
    completes: 'profile',
    parse: text,
  },
  allowHttp: {
    group: 'Configuration',
    syntax: '--allow-http <host>',
    help: 'send credentials to this host over plain HTTP, where others can read them; repeatable (default: only this machine and private addresses)',
    parse: hosts,
    requiresTrust: true,
  },
} as const satisfies Record<string, Flag>
