/** Returns a number as a list shows it, for example `iv` for `lowerRoman`; unknown formats are decimal. */
export function formatListNumber(number: number, format: string): string {
  if (format === 'none') return ''
  if (format === 'decimalZero') return String(number).padStart(2, '0')
  if (format === 'ordinal') return `${number}${findOrdinalEnding(number)}`
  if (format === 'upperRoman') return toRoman(number)
  if (format === 'lowerRoman') return toRoman(number).toLowerCase()
  if (format === 'chicago') return repeatSymbol(number, '*†‡§')
  const letters = alphabets[format]
  return letters === undefined ? String(number) : repeatSymbol(number, letters)
}

const alphabets: Readonly<Record<string, string>> = {
  upperLetter: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  lowerLetter: 'abcdefghijklmnopqrstuvwxyz',
  russianUpper: 'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ',
  russianLower: 'абвгдежзиклмнопрстуфхцчшщыэюя',
  hebrew2: 'אבגדהוזחטיכלמנסעפצקרשת',
  arabicAlpha: 'أبتثجحخدذرزسشصضطظعغفقكلمنهوي',
  aiueoFullWidth:
    'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン',
  iroha: 'ｲﾛﾊﾆﾎﾍﾄﾁﾘﾇﾙｦﾜｶﾖﾀﾚｿﾂﾈﾅﾗﾑｳヰﾉｵｸﾔﾏｹﾌｺｴﾃｱｻｷﾕﾒﾐｼヱﾋﾓｾｽﾝ',
  ganada: '가나다라마바사아자차카타파하',
}

/** Returns the symbol of a number; after the last one they are doubled: `z`, `aa`, `bb`. */
function repeatSymbol(number: number, symbols: string): string {
  const index = (number - 1) % symbols.length
  const times = Math.floor((number - 1) / symbols.length) + 1
  return number < 1 || times > maxRepetitions ? String(number) : (symbols[index] ?? '').repeat(times)
}

const maxRepetitions = 10

function toRoman(number: number): string {
  if (number < 1 || number > 3999) return String(number)
  let left = number
  let roman = ''
  for (const [value, symbol] of romanNumerals)
    while (left >= value) {
      roman += symbol
      left -= value
    }
  return roman
}

const romanNumerals: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
]

function findOrdinalEnding(number: number): string {
  const [tens, ones] = [number % 100, number % 10]
  if (tens > 10 && tens < 14) return 'th'
  return ones === 1 ? 'st' : ones === 2 ? 'nd' : ones === 3 ? 'rd' : 'th'
}
