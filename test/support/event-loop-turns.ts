import { onTestFinished } from 'vitest'

/** Counts the turns of the event loop until the test ends. @returns the number of the current turn, from 0 */
export function countTurns(): () => number {
  let turn = 0
  let isFinished = false
  const countTurn = () => {
    turn++
    if (!isFinished) setImmediate(countTurn)
  }
  setImmediate(countTurn)
  onTestFinished(() => {
    isFinished = true
  })
  return () => turn
}
