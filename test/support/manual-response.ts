import type { Behaviour } from '../../src/simulator/script.ts'

type ByHand = Extract<Behaviour, { kind: 'by-hand' }>

/** Returns a behaviour with which the test itself sends the simulator's response. */
export function respondWith(respond: ByHand['respond']): ByHand {
  return { kind: 'by-hand', respond }
}

/** Returns a behaviour that sends a normal answer after `released` resolves. */
export function answerAfter(released: Promise<unknown>): ByHand {
  return respondWith(async (response, message) => {
    await released
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(message))
  })
}

/** Creates a promise and the function that resolves it. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
