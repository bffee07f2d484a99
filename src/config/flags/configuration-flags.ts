import { apiProviders } from '../../core/request/providers.ts'
import type { Flag } from '../flag.ts'
import { choice, commandLine, duration, hosts, keyValuePairs, modelIdPairs, text } from '../flag-parsers.ts'

/** Flags for configuration files, the provider and its credentials, and permissions. */
export const configurationFlags = {
  config: {
    group: 'Configuration',
    syntax: '--config <file>',
    help: 'read settings only from this file (default: claude-batch.yaml here or in a parent directory, then ~/.config/claude-batch/config.yaml)',
    parse: text,
  },
  profile: {
    isCommon: true,
    group: 'Configuration',
    syntax: '--profile <name>',
    help: 'also apply the profile of this name, from profiles: in the configuration file',
    completes: 'profile',
    parse: text,
  },
  provider: {
    group: 'Configuration',
    syntax: '--provider <name>',
    help: 'who answers: anthropic, bedrock, vertex (Google), foundry (Azure) or aws (Claude Platform on AWS); all but anthropic need a package, see docs/providers.md',
    default: 'anthropic' as const,
    parse: choice(apiProviders),
  },
  modelId: {
    group: 'Configuration',
    syntax: '--model-id <model=id>',
    configKey: 'models',
    help: 'id of a model at the provider or gateway, e.g. haiku=my-deployment, an inference profile or an ARN; repeatable',
    parse: modelIdPairs,
  },
  keyCommand: {
    group: 'Configuration',
    syntax: '--key-command <command>',
    help: 'program that prints the API key or token, with its arguments; runs without a shell, and overrides ANTHROPIC_API_KEY, e.g. "op read op://work/claude/key"',
    parse: commandLine,
    requiresTrust: true,
  },
  keyTtl: {
    group: 'Configuration',
    syntax: '--key-ttl <time>',
    help: 'run --key-command again when its key is this old; a 401 does so too',
    default: 300,
    parse: duration(1, 86_400),
  },
  headers: {
    group: 'Configuration',
    syntax: '--headers <name=value>',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what the user writes
    help: 'header to add to every request, for a gateway or a workspace; ${NAME} in the value is an environment variable; repeatable',
    parse: keyValuePairs,
    requiresTrust: true,
  },
  allowHttp: {
    group: 'Configuration',
    syntax: '--allow-http <host>',
    help: 'send credentials to this host over plain HTTP, where others can read them; repeatable (default: only this machine and private addresses)',
    parse: hosts,
    requiresTrust: true,
  },
} as const satisfies Record<string, Flag>
