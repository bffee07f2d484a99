import { maxNesting } from '../reader-limits.ts'
import { UnreadableError } from '../unreadable-error.ts'
import { destinations, skippedDestinations, startEquation } from './rtf-destinations.ts'
import { createRtfGroup } from './rtf-group.ts'
import { actions, characters } from './rtf-properties.ts'
import {
  addByte,
  addCharacters,
  createRtfState,
  endParagraph,
  findDepth,
  flush,
  type RtfState,
  type RtfTarget,
} from './rtf-state.ts'
import { readRtfTokens } from './rtf-tokens.ts'

/** What an RTF file is, which is known when it is read. */
export type RtfContent = Readonly<Pick<RtfState, 'original' | 'styles'>> & {
  /** How many groups have no end. */
  readonly openGroups: number
}

/**
 * Reads an RTF file. Text that is hidden or deleted is left out, and so are pictures and comments.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfex for mails in RTF
 * @throws UnreadableError for too many nested groups, or for more text than any model can read
 */
export function readRtfDocument(bytes: Buffer, target: RtfTarget): RtfContent {
  const state = createRtfState(target)
  readRtfTokens(bytes, {
    isSkipping: () => state.skippedGroups > 0,
    openGroup: () => openGroup(state),
    closeGroup: () => closeGroup(state),
    control: (word, parameter) => readControl(state, word, parameter),
    symbol: (character) => readSymbol(state, character),
    byte: (value) => readByte(state, value),
  })
  const openGroups = state.groups.length + Math.max(0, state.skippedGroups - 1)
  while (state.groups.length > 0) {
    state.skippedGroups = 0
    closeGroup(state)
  }
  endParagraph(state, 'paragraph', findDepth(state))
  return { original: state.original, styles: state.styles, openGroups }
}

function openGroup(state: RtfState): void {
  if (state.skippedGroups > 0) {
    state.skippedGroups++
    return
  }
  flush(state)
  state.fallback = 0
  if (state.groups.length >= maxNesting)
    throw new UnreadableError('too_complex', `its groups are nested more than ${maxNesting} deep`)
  state.groups.push(state.group)
  state.group = { ...state.group, isOptional: false, onEnd: undefined }
  if (state.group.destination === 'styles') state.styles.begin()
}

function closeGroup(state: RtfState): void {
  if (state.skippedGroups > 0 && --state.skippedGroups > 0) return
  flush(state)
  state.fallback = 0
  state.group.onEnd?.()
  const outer = state.groups.pop()
  if (outer?.destination === 'styles') state.styles.end()
  // Some programs write too many closing braces.
  state.group = outer ?? createRtfGroup()
}

function readControl(state: RtfState, word: string, parameter: number | undefined): void {
  if (state.skippedGroups > 0) return
  const { group } = state
  const { isOptional } = group
  group.isOptional = false
  const character = characters.get(word)
  if (character !== undefined) {
    if (state.fallback > 0) state.fallback--
    else addCharacters(state, showTab(state, character))
    return
  }
  state.fallback = 0
  if (word === 'u' && parameter !== undefined) {
    addCharacters(state, toCharacter(parameter))
    state.fallback = group.fallbackChars
    return
  }
  flush(state)
  const isSkipped = skippedDestinations.has(word) || (group.isInEquation && /^m[a-zA-Z]+Pr$/.test(word))
  if (isSkipped || !runControl(state, word, parameter, isOptional)) state.skippedGroups = 1
}

/** Does what a control word says. @returns false if its group is skipped */
function runControl(
  state: RtfState,
  word: string,
  parameter: number | undefined,
  isOptional: boolean,
): boolean {
  const { group } = state
  const isKnown =
    group.destination === 'fonts' || group.destination === 'styles'
      ? define(state, word, parameter ?? 0)
      : act(state, word, parameter)
  return isKnown || !isOptional
}

function act(state: RtfState, word: string, parameter: number | undefined): boolean {
  const start = destinations.get(word)
  const action = actions.get(word)
  if (start !== undefined) start(state)
  else if (action !== undefined) action(state, parameter ?? 0, parameter !== 0)
  else if (state.group.isInEquation && /^m[a-zA-Z]+$/.test(word)) startEquation(state, `m:${word.slice(1)}`)
  else return styleKinds.has(word)
  return true
}

/** Words for the styles of characters, which an asterisk may precede. */
const styleKinds: ReadonlySet<string> = new Set(['cs', 'ts', 'ds'])

/** Defines a font or a style. */
function define({ group, fonts, styles }: RtfState, word: string, value: number): boolean {
  if (group.destination === 'fonts') {
    if (word === 'f') fonts.define(value)
    else if (word === 'fcharset') fonts.setCharset(value)
    else if (word === 'cpg') fonts.setCodePage(value)
    else return false
    return true
  }
  if (word === 's') styles.setId(value)
  else if (word === 'sbasedon') styles.setParent(value)
  else if (word === 'outlinelevel') styles.setOutline(value)
  else return styleKinds.has(word)
  return true
}

function readSymbol(state: RtfState, character: string): void {
  if (character === '*') state.group.isOptional = true
  else if (character === '\n' || character === '\r') readControl(state, 'par', undefined)
  else if (character === '\\' || character === '{' || character === '}')
    readByte(state, character.charCodeAt(0))
  else if (state.fallback > 0) state.fallback--
  else if (character === '~') addCharacters(state, '\u00a0')
  else if (character === '_') addCharacters(state, '-')
  else if (character === '\t') addCharacters(state, showTab(state, character))
}

function readByte(state: RtfState, value: number): void {
  if (state.fallback > 0) {
    state.fallback--
    return
  }
  const { destination } = state.group
  if (destination === 'fonts') state.fonts.addToName(String.fromCharCode(value))
  else if (destination === 'styles') state.styles.addToName(String.fromCharCode(value))
  else if (destination !== 'ansi') addByte(state, value)
}

/** A tab of a document is a space, but the text or HTML of a mail keeps it. */
function showTab({ original }: RtfState, character: string): string {
  return original === 'rtf' && character === '\t' ? ' ' : character
}

function toCharacter(parameter: number): string {
  const code = parameter < 0 ? parameter + 0x10000 : parameter
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
}
