import type { Reply } from '../core/request/reply.ts'
import type { MessagesApi } from './messages-api.ts'

/**
 * Wraps the API functions so that replies name the model of their request, not its id at the provider. Prices
 * and reports know only models.
 * @param toModel returns the model for an id of the provider
 */
export function withModelNames(
  { ask, countTokens, batches }: MessagesApi,
  toModel: (id: string) => string,
): MessagesApi {
  const rename = (reply: Reply): Reply => {
    const model = toModel(reply.model)
    return model === reply.model ? reply : { ...reply, model }
  }
  return {
    ask: async (...request) => rename(await ask(...request)),
    countTokens,
    batches: {
      ...batches,
      async *fetchResults(...request) {
        for await (const line of batches.fetchResults(...request)) {
          const { customId, result } = line
          if (customId !== undefined && typeof result === 'object' && 'reply' in result)
            yield { customId, result: { reply: rename(result.reply) } }
          else yield line
        }
      },
    },
  }
}
