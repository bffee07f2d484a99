import { createFieldPiece } from '../word/paragraph-writer.ts'
import { beginField, createRtfField } from './rtf-field.ts'
import { addPiece, currentStory, flush, openStory, type RtfState } from './rtf-state.ts'

/** What begins with a control word at the start of a group. */
export const destinations: ReadonlyMap<string, (state: RtfState) => void> = new Map<
  string,
  (state: RtfState) => void
>([
  ...['header', 'headerf', 'headerl', 'headerr'].map((word) => [word, openEdge('header')] as const),
  ...['footer', 'footerf', 'footerl', 'footerr'].map((word) => [word, openEdge('footer')] as const),
  ['footnote', openNote],
  ['shptxt', openBox],
  ['dptxbxtext', openBox],
  ['fonttbl', setDestination('fonts')],
  ['stylesheet', setDestination('styles')],
  ['listtext', setDestination('label')],
  ['pntext', setDestination('label')],
  ['htmltag', setDestination('tag')],
  // A text in two versions: with the characters of one code page, and with all of Unicode.
  ['upr', setDestination('ansi')],
  [
    'ud',
    ({ group, groups }) => {
      group.destination = groups.at(-2)?.destination ?? 'text'
    },
  ],
  ['field', startField],
  ['fldinst', startCode],
  ['fldrslt', startResult],
  ['ffl', setDestination('choice')],
  [
    'nesttableprops',
    ({ group }) => {
      group.definesInnerRows = true
    },
  ],
  ['moMath', (state) => startEquation(state, 'm:oMath')],
  // These are read like what is around them.
  ...['shpinst', 'do', 'formfield', 'moMathPara'].map((word) => [word, () => {}] as const),
])

/** Destinations that are not text of the document. Every unknown one that is marked with `\*` is another. */
export const skippedDestinations: ReadonlySet<string> = new Set(
  [
    'aftncn aftnsep aftnsepc annotation atnauthor atndate atnicn atnid atnparent atnref atntime atrfend atrfstart',
    'author bkmkend bkmkstart buptim category colortbl comment company creatim datafield datastore docvar doccomm',
    'falt fchars filetbl fontemb fontfile ftncn ftnsep ftnsepc generator info keywords latentstyles lchars',
    'linkval listname listoverridetable listtable manager mmathPict nonesttables nonshppict objalias objclass',
    'objdata objname objsect objtime operator panose passwordhash pgptbl pict pn pnseclvl printim private propname',
    'revtbl revtim rsidtbl rxe shprslt sn sp staticval subject sv tc template themedata title txe userprops',
    'wgrffmtfilter xe xmlattrname xmlattrvalue xmlclose xmlname xmlnstbl xmlopen',
  ].flatMap((line) => line.split(' ')),
)

/** Starts an element of an equation, such as `\mnum`. @param name of the element in .docx */
export function startEquation(state: RtfState, name: string): void {
  const { group } = state
  group.isInEquation = true
  addPiece(state, { open: name })
  group.onEnd = () => addPiece(state, { close: name })
}

function setDestination(destination: RtfState['group']['destination']): (state: RtfState) => void {
  return ({ group }) => {
    group.destination = destination
  }
}

function openEdge(kind: 'header' | 'footer'): (state: RtfState) => void {
  return (state) => openStory(state, (paragraphs) => state.target.onStory(kind, paragraphs, ''))
}

function openNote(state: RtfState): void {
  const id = String(state.notes++)
  openStory(state, (paragraphs) => {
    state.target.onStory('footnote', paragraphs, id)
    currentStory(state).pieces.push({ element: 'w:footnoteReference', attributes: { 'w:id': id } })
  })
}

function openBox(state: RtfState): void {
  openStory(state, (box) => {
    if (box.length > 0) currentStory(state).pieces.push({ box })
  })
}

function startField(state: RtfState): void {
  const { group } = state
  // A field in the code of another one is part of the code.
  if (group.destination !== 'text') return
  const field = createRtfField()
  group.field = field
  group.onEnd = () => {
    if (!field.isBegun) return
    flush(state)
    const { pieces } = currentStory(state)
    // Word shows a symbol from its code, and writes a result without text.
    if (pieces.at(-1) === field.separator) pieces.pop()
    addPiece(state, createFieldPiece('end'))
  }
}

function startCode(state: RtfState): void {
  const { group } = state
  const { field } = group
  if (field === undefined || group.destination !== 'text') return
  group.destination = 'code'
  group.onEnd = () => {
    group.destination = 'text'
    addPiece(state, ...beginField(field))
  }
}

function startResult(state: RtfState): void {
  const { field, destination } = state.group
  if (!field?.isBegun || destination !== 'text') return
  field.separator = createFieldPiece('separate')
  addPiece(state, field.separator)
}
