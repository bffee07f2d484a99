import { defaultMaxTokens, defaultModel, efforts, modelAliases } from '../../core/pricing/models.ts'
import type { Flag } from '../flag.ts'
import { choice, integer, text } from '../flag-parsers.ts'

/** Flags that choose the model and limit its output. */
export const modelFlags = {
  model: {
    isCommon: true,
    group: 'Prompt and model',
    syntax: '--model <model>',
    help: `${modelAliases.join(', ')} or a full model id (default: the prompt’s, otherwise ${defaultModel})`,
    completes: 'model',
    parse: text,
  },
  maxTokens: {
    group: 'Prompt and model',
    syntax: '--max-tokens <tokens>',
    help: `maximum output tokens per document (default: the prompt’s, otherwise ${defaultMaxTokens})`,
    parse: integer(1, 1_000_000),
  },
  effort: {
    group: 'Prompt and model',
    syntax: '--effort <effort>',
    help: `${efforts.slice(0, -1).join(', ')} or ${efforts.at(-1)} (default: the prompt’s, otherwise the model’s lowest)`,
    parse: choice(efforts),
  },
} as const satisfies Record<string, Flag>
