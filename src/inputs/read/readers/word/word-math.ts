/** Builds the text of an equation from its OMML (Office Math Markup Language) elements. */
export interface EquationBuilder {
  open(name: string, attributes: Readonly<Record<string, string>>): void
  addText(text: string): void
  close(name: string): void
  /** Returns the equation in one line, such as `x=(-b±√(b^2-4ac))/(2a)`. */
  toText(): string
}

interface Piece {
  readonly role: string
  readonly text: string
  /** Whether it needs no parentheses next to an operator. */
  readonly isAtom: boolean
}

interface Frame {
  readonly name: string
  readonly pieces: Piece[]
  readonly options: Record<string, string>
}

/** Maximum nesting that is shown; each level copies the text. */
const maxNesting = 200

/** Returns a builder for one equation. */
export function createEquationBuilder(): EquationBuilder {
  const root: Frame = { name: '', pieces: [], options: {} }
  const frames: Frame[] = [root]
  let arrays = 0
  const top = () => frames.at(-1) ?? root
  return {
    open(name, attributes) {
      if (!name.startsWith('m:')) return
      const local = name.slice(2)
      if (local === 'eqArr') arrays++
      if ((composers[local] !== undefined || roles.has(local)) && frames.length < maxNesting)
        frames.push({ name: local, pieces: [], options: {} })
      // Properties such as `<m:begChr m:val="["/>` belong to the element around them.
      else if (optionNames.has(local)) top().options[local] = attributes['m:val'] ?? ''
    },
    addText(text) {
      // In an array of equations, `&` only aligns them.
      const shown = arrays > 0 ? text.replaceAll('&', '') : text
      top().pieces.push({ role: '', text: shown, isAtom: /^[\p{L}\p{N}\p{M}.]+$/u.test(shown) })
    },
    close(name) {
      const local = name.slice(2)
      if (!name.startsWith('m:') || frames.length < 2 || top().name !== local) return
      if (local === 'eqArr') arrays--
      const frame = frames.pop() as Frame
      const compose = composers[local]
      const text =
        compose === undefined ? joinPieces(frame.pieces, local === 'mr' ? ', ' : '') : compose(frame)
      const [only] = frame.pieces
      const isAtom =
        compose === undefined ? frame.pieces.length === 1 && only?.isAtom === true : atoms.has(local)
      top().pieces.push({ role: local, text, isAtom: isAtom || text.length === 1 })
    },
    toText: () =>
      joinPieces(root.pieces)
        .replace(/\s+/g, ' ')
        .replace(/([([{]) /g, '$1')
        .trim(),
  }
}

/** Joins pieces, with a space after an index or an exponent that another name follows: `a_1 b_1`. */
const joinPieces = (pieces: readonly Piece[], separator = '') =>
  pieces
    .map(({ text }, index) => {
      const isAfterScript = scripts.has(pieces[index - 1]?.role ?? '')
      return isAfterScript && /^[\p{L}\p{N}]/u.test(text) ? ` ${text}` : text
    })
    .join(separator)

const scripts: ReadonlySet<string> = new Set(['sSup', 'sSub', 'sSubSup'])

/** Elements that need no parentheses around them. */
const atoms: ReadonlySet<string> = new Set(['d', 'rad', 'm', 'acc', 'bar', 'groupChr'])

/** Elements that are a part of another one: numerator, base, exponent and so on. */
const roles: ReadonlySet<string> = new Set(['num', 'den', 'e', 'sup', 'sub', 'deg', 'lim', 'fName', 'mr'])

const optionNames: ReadonlySet<string> = new Set(['chr', 'begChr', 'endChr', 'sepChr', 'type', 'pos'])

const part = ({ pieces }: Frame, role: string): Piece =>
  pieces.find((piece) => piece.role === role) ?? { role, text: '', isAtom: true }
const whole = (frame: Frame, role: string) => part(frame, role).text
const grouped = (frame: Frame, role: string) => {
  const { text, isAtom } = part(frame, role)
  return isAtom ? text : `(${text})`
}
const raised = (frame: Frame, role = 'sup') => (whole(frame, role) === '' ? '' : `^${grouped(frame, role)}`)
const lowered = (frame: Frame, role = 'sub') => (whole(frame, role) === '' ? '' : `_${grouped(frame, role)}`)
const list = ({ pieces }: Frame, role: string) =>
  pieces.filter((piece) => piece.role === role).map(({ text }) => text)

/** Adds a mark such as a hat or a bar over each character, or after a longer text. */
function addAccent(frame: Frame, mark: string): string {
  const base = whole(frame, 'e')
  return base.length < 2 ? `${base}${mark}` : `(${base})${mark}`
}

const composers: Readonly<Record<string, (frame: Frame) => string>> = {
  f: (frame) => {
    const binomial = frame.options['type'] === 'noBar'
    return binomial
      ? `(${whole(frame, 'num')} over ${whole(frame, 'den')})`
      : `${grouped(frame, 'num')}/${grouped(frame, 'den')}`
  },
  rad: (frame) => {
    const degree = whole(frame, 'deg')
    return `√${degree === '' ? '' : `[${degree}]`}(${whole(frame, 'e')})`
  },
  sSup: (frame) => grouped(frame, 'e').concat(raised(frame)),
  sSub: (frame) => whole(frame, 'e').concat(lowered(frame)),
  sSubSup: (frame) => whole(frame, 'e').concat(lowered(frame), raised(frame)),
  sPre: (frame) => lowered(frame).concat(raised(frame), whole(frame, 'e')),
  nary: (frame) => `${frame.options['chr'] ?? '∫'}${lowered(frame)}${raised(frame)} ${whole(frame, 'e')}`,
  d: (frame) => {
    const { begChr = '(', endChr = ')', sepChr = '|' } = frame.options
    return `${begChr}${list(frame, 'e').join(sepChr)}${endChr}`
  },
  func: (frame) => ` ${whole(frame, 'fName')} ${grouped(frame, 'e')}`,
  limLow: (frame) => `${whole(frame, 'e')}${lowered(frame, 'lim')}`,
  limUpp: (frame) => `${whole(frame, 'e')}${raised(frame, 'lim')}`,
  acc: (frame) => addAccent(frame, frame.options['chr'] ?? '\u0302'),
  bar: (frame) => addAccent(frame, frame.options['pos'] === 'top' ? '\u0305' : '\u0332'),
  box: (frame) => whole(frame, 'e'),
  borderBox: (frame) => whole(frame, 'e'),
  phant: (frame) => whole(frame, 'e'),
  groupChr: (frame) => whole(frame, 'e'),
  m: (frame) => `[${list(frame, 'mr').join('; ')}]`,
  eqArr: (frame) => list(frame, 'e').join('; '),
}
