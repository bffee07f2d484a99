import { efforts } from '../core/pricing/models.ts'
import { compareFlags } from './compare-flags.ts'
import type { Flag } from './flag.ts'
import { summarizeFlags } from './flags.ts'
import { byKey } from './key.ts'
import { serveFlags } from './serve-flags.ts'
import type { ValueSchema } from './values.ts'

const draft = 'https://json-schema.org/draft/2020-12/schema'

/** What a configuration file may say, as JSON Schema: editors complete and check by it. */
export function configSchema() {
  const settings: Record<string, ValueSchema & { description: string; default?: unknown }> = {}
  for (const [key, flag] of byKey(compareFlags, serveFlags, summarizeFlags)) {
    if (key !== 'config' && key !== 'profile') settings[key] = settingSchema(flag)
  }
  return {
    $schema: draft,
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

function settingSchema({ help, parse, default: preset, trusted }: Flag) {
  const where = trusted ? '; counts only in a file named with --config, or in your own config.yaml' : ''
  const shape = parse?.schema ?? { type: 'boolean' }
  // What a file holds is not yet parsed: `default` is told where it looks the same.
  const value = preset === undefined ? {} : { default: preset }
  return { description: `${help}${where}`, ...shape, ...value }
}

/** What a prompt's file may say. */
export const promptSchema = {
  $schema: draft,
  title: 'a prompt of claude-batch',
  type: 'object',
  additionalProperties: false,
  required: ['versions'],
  properties: {
    default: {
      description: 'the version to use; without it, the highest number',
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
            description: { description: 'for people', type: 'string' },
            system: { description: 'the system prompt; it may not have {text}', type: 'string' },
            user_template: {
              description: 'the message; {text} is the document, {path}, {name} and {title} tell of it',
              type: 'string',
              pattern: '\\{text\\}',
            },
            model: { description: 'haiku, sonnet, opus or a full id', type: 'string' },
            max_tokens: { description: 'most output tokens', type: 'integer', minimum: 1 },
            effort: { enum: efforts },
            schema: { description: 'a JSON Schema that answers are to fit, instead of text', type: 'object' },
          },
        },
      },
    },
  },
} as const
