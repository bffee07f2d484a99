import { expect, it } from 'vitest'
import type { Request } from '../../src/core/request/request.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createServedClient } from '../support/served-client.ts'
import { end, formatEvent, start } from '../support/stream-events.ts'

const never = new AbortController().signal

interface Block {
  readonly type: string
  readonly text?: string
  readonly citations?: unknown
}

const quote = (cited_text: string) => ({ type: 'char_location', cited_text })
const message = (content: readonly Block[]) => ({
  type: 'message',
  model: 'claude-haiku-5-5',
  content,
  stop_reason: 'end_turn',
  usage: { input_tokens: 9, output_tokens: 3 },
})

/** Writes blocks as the API streams them. */
function stream(blocks: readonly Block[]): string {
  const events = blocks.flatMap(({ type, text, citations }, index) => [
    formatEvent({
      type: 'content_block_start',
      index,
      content_block: type === 'text' ? { type, text: '', citations: [] } : { type },
    }),
    ...(Array.isArray(citations)
      ? citations.map((citation: unknown) =>
          formatEvent({
            type: 'content_block_delta',
            index,
            delta: { type: 'citations_delta', citation },
          }),
        )
      : []),
    formatEvent({
      type: 'content_block_delta',
      index,
      delta: type === 'text' ? { type: 'text_delta', text } : { type: 'thinking_delta', thinking: text },
    }),
    formatEvent({ type: 'content_block_stop', index }),
  ])
  return start + events.join('') + end
}

/** Writes blocks as a gateway does that has the whole reply: in their first event. */
function streamWhole(blocks: readonly Block[]): string {
  const events = blocks.map((content_block, index) =>
    formatEvent({ type: 'content_block_start', index, content_block }),
  )
  return start + events.join('') + end
}

/** Returns the citations of a reply: the supported words and the quote. */
async function listCitations(request: Request, type: string, body: string) {
  const { client, serve } = await createServedClient()
  serve(200, type, body)
  const { text, citations = [] } = await client.ask(request, never)
  return {
    text,
    citations: citations.map(({ supports, quote }) => [text.slice(supports.start, supports.end), quote]),
  }
}

const ways = [
  ['plain', 'application/json', (blocks: readonly Block[]) => JSON.stringify(message(blocks))],
  ['streamed', 'text/event-stream', stream],
  ['in the first events of a stream', 'text/event-stream', streamWhole],
] as const

it.each(ways)('a reply that is %s has text and citations', async (name, type, write) => {
  const request = createRequest('a.md', name === 'plain' ? {} : { maxTokens: 8192 })
  const read = (blocks: readonly Block[]) => listCitations(request, type, write(blocks))
  expect(
    await read([
      { type: 'thinking', text: 'Hm.', citations: [quote('of a thought')] },
      { type: 'text', text: 'It begins. ' },
      {
        type: 'text',
        text: ' The price is 12 euros.\n\n',
        citations: [quote('12 euros'), quote('a 🚢 \ud83d')],
      },
      { type: 'text', text: '', citations: [quote('of nothing')] },
      { type: 'text', text: '\n ', citations: [quote('of white space')] },
      { type: 'text', text: 'It ends.\n', citations: [quote('The end.'), quote(''), null, {}] },
    ]),
  ).toEqual({
    text: 'It begins.  The price is 12 euros.\n\n\n It ends.\n',
    citations: [
      ['The price is 12 euros.', '12 euros'],
      ['The price is 12 euros.', 'a 🚢 \ufffd'],
      ['It ends.', 'The end.'],
    ],
  })
})

it('a quote is not redacted, even if it looks like a key', async () => {
  const { client, serve } = await createServedClient()
  const text = `Keys such as sk-ant-${'a1'.repeat(20)} are secret, and so is "test".`
  serve(200, 'application/json', JSON.stringify(message([{ type: 'text', text, citations: [quote(text)] }])))
  const reply = await client.ask(createRequest('a.md'), never)
  expect([reply.text, reply.citations?.[0]?.quote]).toEqual([text, text])
})
