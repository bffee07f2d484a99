import type { Behaviour } from '../../src/simulator/script.ts'

type ByHand = Extract<Behaviour, { kind: 'by-hand' }>

/** The test itself sends the simulator's response. */
export function respondWith(respond: ByHand['respond']): ByHand {
  return { kind: 'by-hand', respond }
}

/** The usual answer, once the test lets it go. */
export function answerAfter(released: Promise<unknown>): ByHand {
  return respondWith(async (response, message) => {
    await released
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(message))
  })
}

/** A promise, and what fulfils it. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
