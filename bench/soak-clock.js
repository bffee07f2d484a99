// Preloaded with `node --import`: makes the wall clock of the process jump by up to two days in both
// directions, several times a second. The monotonic clock does not jump.
const RealDate = globalThis.Date
const twoDaysMs = 2 * 86_400_000
let offsetMs = 0
const jump = () => {
  offsetMs = Math.round((2 * Math.random() - 1) * twoDaysMs)
}
jump()
setInterval(jump, 150).unref()
class JumpingDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + offsetMs)
    else super(...parts)
  }
  static now() {
    return RealDate.now() + offsetMs
  }
}
globalThis.Date = JumpingDate
