import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { summarizeAll, type Text } from '../../src/index.ts'
import { answerWith, createLibraryClient } from '../support/library-client.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe('summarizeAll', () => {
  it('keeps only the texts in flight in memory', async () => {
    const { client } = await createLibraryClient({ script: () => answerWith('Done.', 0) })
    const count = 1000
    const kept: WeakRef<Text>[] = []
    function* texts() {
      for (let n = 0; n < count; n++) {
        const text = { text: `${n} ${'A tide table tells when the water is high. '.repeat(50)}` }
        kept.push(new WeakRef(text))
        yield text
      }
    }
    let summarized = 0
    let most = 0
    for await (const { status } of summarizeAll(texts(), { client })) {
      if (status === 'summarized') summarized++
      if (summarized % 250 === 0) {
        await delay(1)
        collectGarbage()
        most = Math.max(most, kept.filter((text) => text.deref() !== undefined).length)
      }
    }
    expect(summarized).toBe(count)
    expect(most).toBeLessThan(500)
  })
})
