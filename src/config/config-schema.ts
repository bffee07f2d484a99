import { efforts } from '../core/pricing/models.ts'
import { compareFlags } from './compare-flags.ts'
import type { Flag } from './flag.ts'
import { indexFlagsByKey } from './flag-names.ts'
import type { ValueSchema } from './flag-parsers.ts'
import { serveFlags } from './serve-flags.ts'
import { summarizeFlags } from './summarize-flags.ts'

const draftUrl = 'https://json-schema.org/draft/2020-12/schema'

/** Returns the JSON Schema of a configuration file, which editors use to complete and check it. */
export function buildConfigSchema() {
  const settings: Record<string, ValueSchema & { description: string; default?: unknown }> = {}
  for (const [key, flag] of indexFlagsByKey(compareFlags, serveFlags, summarizeFlags)) {
    if (key !== 'config' && key !== 'profile') settings[key] = toSettingSchema(flag)
  }
  return {
    $schema: draftUrl,
    title: 'claude-batch.yaml',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...settings,
      profiles: {
        description: 'settings that --profile <name> adds to the others',
        type: 'object',
        additionalProperties: { type: 'object', additionalProperties: false, properties: settings },
      },
    },
  }
}

function toSettingSchema({ help, parse, default: defaultValue, requiresTrust }: Flag) {
  const trustNote = requiresTrust
    ? '; allowed only in a file named with --config, or in your own config.yaml'
    : ''
  const valueSchema = parse?.schema ?? { type: 'boolean' }
  // `default` is a parsed value; the defaults of all flags are written the same way in a file.
  const defaultEntry = defaultValue === undefined ? {} : { default: defaultValue }
  return { description: `${help}${trustNote}`, ...valueSchema, ...defaultEntry }
}

/** JSON Schema of a prompt file. */
export const promptSchema = {
  $schema: draftUrl,
  title: 'a prompt of claude-batch',
  type: 'object',
  additionalProperties: false,
  required: ['versions'],
  properties: {
    default: {
      description: 'version to use (default: the highest number)',
      type: 'string',
      pattern: '^v[1-9][0-9]*$',
    },
    versions: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      patternProperties: {
        '^v[1-9][0-9]*$': {
          type: 'object',
          additionalProperties: false,
          required: ['user_template'],
          properties: {
            description: { description: 'a note for people; not sent', type: 'string' },
            system: { description: 'system prompt; must not contain {text}', type: 'string' },
            user_template: {
              description: 'the message; {text} is the document; {path}, {name} and {title} describe it',
              type: 'string',
              pattern: '\\{text\\}',
            },
            model: { description: 'haiku, sonnet, opus or a full model id', type: 'string' },
            max_tokens: { description: 'maximum output tokens per document', type: 'integer', minimum: 1 },
            effort: { enum: efforts },
            schema: { description: 'JSON Schema that replies must match, instead of text', type: 'object' },
          },
        },
      },
    },
  },
} as const
