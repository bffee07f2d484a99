import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Behaviour, Script } from '../../src/simulator/script.ts'
import { filesBelow } from '../faults/invariants.ts'

/** The files of 40 documents. */
export const fortyDocuments: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [
    `docs/${String(index).padStart(2, '0')}.md`,
    `Note ${index}. The harbour of town ${index} was dredged in the spring.`,
  ]),
)

/** Faults of single documents: those of `once` concern only their first request. */
const faults: Readonly<Record<number, { readonly once: boolean; readonly behaviour: Behaviour }>> = {
  3: { once: true, behaviour: { kind: 'status', status: 529 } },
  7: { once: false, behaviour: { kind: 'status', status: 400, message: 'messages: wrong' } },
  11: { once: true, behaviour: { kind: 'status', status: 429, headers: { 'retry-after': '1' } } },
  15: { once: true, behaviour: { kind: 'status', status: 500 } },
  19: { once: false, behaviour: { kind: 'answer', delayMs: 1, text: 'Half', stopReason: 'max_tokens' } },
  23: { once: false, behaviour: { kind: 'answer', delayMs: 1, text: '', stopReason: 'refusal' } },
  27: { once: true, behaviour: { kind: 'truncate', delayMs: 1 } },
  31: { once: true, behaviour: { kind: 'reset', inBody: true, delayMs: 1 } },
  35: { once: false, behaviour: { kind: 'status', status: 413 } },
}

/** The documents that get no summary. */
export const failedDocuments = Object.entries(faults)
  .filter(([, { once }]) => !once)
  .map(([number]) => Number(number))

/** Creates a script that answers the 40 documents, some of them with faults. */
export function createFaultyScript(delayMs = 1): Script {
  const seen = new Set<number>()
  return ({ request }) => {
    const number = Number(/Note (\d+)\./.exec(request.text)?.[1])
    const fault = faults[number]
    const isFirst = !seen.has(number)
    seen.add(number)
    if (fault !== undefined && (isFirst || !fault.once)) return fault.behaviour
    return { kind: 'answer', delayMs, text: `Town ${number} dredged its harbour.` }
  }
}

/** Returns the content of every summary and error record below a folder, without what differs between runs. */
export async function readOutcomes(cwd: string): Promise<Readonly<Record<string, string>>> {
  const files = (await filesBelow(join(cwd, 'summaries'))).filter((file) => file.startsWith('docs/'))
  const contents = files.map(async (file) => {
    const text = await readFile(join(cwd, 'summaries', file), 'utf8')
    return [file, text.startsWith('ERROR:') ? 'ERROR' : text.trim()] as const
  })
  return Object.fromEntries(await Promise.all(contents))
}
