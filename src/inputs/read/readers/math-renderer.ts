import { type HtmlElement, type HtmlNode, walkHtml } from './html-tree.ts'

/** Returns a `<math>` element once, as its TeX source if it has one, otherwise as its symbols. */
export function renderFormula(math: HtmlElement): string {
  return (findTex(math) ?? renderSymbols(math)).trim()
}

function findTex(math: HtmlElement): string | undefined {
  let tex: string | undefined
  let inTex = 0
  const isTex = ({ name, attributes }: HtmlElement) =>
    name === 'annotation' && /\btex\b/i.test(attributes['encoding'] ?? '')
  walkHtml(math, {
    onEnter(element) {
      if (isTex(element)) inTex++
      return true
    },
    onText(text) {
      if (inTex > 0) tex = (tex ?? '') + text
    },
    onLeave(element) {
      if (isTex(element)) inTex--
    },
  })
  return tex === undefined || tex.trim() === '' ? undefined : tex
}

/** Returns the symbols in their order; fractions, exponents and indexes are written with `/`, `^` and `_`. */
function renderSymbols(math: HtmlElement): string {
  const parts: string[] = []
  walkHtml(math, {
    onEnter(element, parent) {
      if (element.name.startsWith('annotation')) return false
      if (parent !== undefined) parts.push(...signsBefore(element, parent))
      return true
    },
    onText: (text) => void parts.push(text.replace(/\s+/g, ' ')),
    onLeave(element, parent) {
      if (parent !== undefined && isGrouped(element, parent)) parts.push(')')
    },
  })
  return parts.join('').replace(/ {2,}/g, ' ')
}

/** The signs before the first, second and third operand of an element. */
const operators: ReadonlyMap<string, readonly string[]> = new Map([
  ['msup', ['', '^']],
  ['msub', ['', '_']],
  ['msubsup', ['', '_', '^']],
  ['munder', ['', '_']],
  ['mover', ['', '^']],
  ['munderover', ['', '_', '^']],
  ['mfrac', ['', '/']],
  ['mroot', ['√', '^1/']],
  ['msqrt', ['√']],
])

function signsBefore(element: HtmlElement, parent: HtmlElement): string[] {
  const signs = operators.get(parent.name)
  if (signs === undefined) return []
  const position = elementsOf(parent).indexOf(element)
  return [signs[position] ?? '', isGrouped(element, parent) ? '(' : '']
}

/** Whether an operand has several symbols, so that parentheses are needed around it. */
function isGrouped(element: HtmlElement, parent: HtmlElement): boolean {
  return operators.has(parent.name) && elementsOf(element).length > 1 && !operators.has(element.name)
}

/** Returns the first elements in an element; operators have at most three. */
function elementsOf({ children }: HtmlElement): HtmlElement[] {
  return children.slice(0, 16).filter((child: HtmlNode): child is HtmlElement => typeof child !== 'string')
}
