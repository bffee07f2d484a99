/** A format without a reader. */
export interface UnsupportedFormat {
  /** What a file of this format is. */
  readonly name: string
  /** What the user can do instead. */
  readonly advice: string
  readonly extensions: readonly string[]
  /** Matches the first bytes, each as one character. */
  readonly signature?: RegExp
}

/** Returns advice to convert a file with LibreOffice. */
export const convertTo = (extension: string) =>
  `convert it to .${extension}, for example: soffice --headless --convert-to ${extension} FILE`
const unpack = (command: string) => `unpack it, for example: ${command}; then name what is in it`

/** An archive of any files. */
export const zip: UnsupportedFormat = {
  name: 'a zip archive',
  advice: unpack('unzip FILE'),
  extensions: ['zip'],
}

/** An image that the API does not accept, and that no reader converts. */
export const otherImage: UnsupportedFormat = {
  name: 'an image that is not PNG, JPEG, GIF, WebP or TIFF',
  advice: 'convert it to PNG or JPEG, for example: magick FILE FILE.png',
  extensions: ['bmp', 'heic', 'heif', 'avif', 'jxl', 'jp2', 'ico', 'psd'],
  signature:
    /^(?:BM.{4}\0\0\0\0|.{4}ftyp(?:hei|mif1|msf1|avi[fs])|\0\0\x01\0|8BPS|\0\0\0\x0c(?:JXL |jP {2})|\xff\x0a)/s,
}

const formats: readonly UnsupportedFormat[] = [
  {
    name: 'a file of Word 2 or older',
    advice: convertTo('docx'),
    extensions: [],
    signature: /^(?:\xdb\xa5.\0|\x9b\xa5.\0|1\xbe\0\0\0\xab|\xfe[27]\0.)/s,
  },
  { name: 'a WordPerfect document', advice: convertTo('docx'), extensions: [], signature: /^\xffWPC/ },
  { name: 'an old Excel file', advice: convertTo('xlsx'), extensions: ['xls', 'xlt', 'xlsb'] },
  { name: 'an old PowerPoint file', advice: convertTo('pptx'), extensions: ['ppt', 'pps', 'pot'] },
  {
    name: 'a Pages document',
    advice: 'export it to Word from Pages (File > Export To)',
    extensions: ['pages'],
  },
  {
    name: 'a Numbers spreadsheet',
    advice: 'export it to Excel from Numbers (File > Export To)',
    extensions: ['numbers'],
  },
  {
    name: 'a Keynote presentation',
    advice: 'export it to PowerPoint from Keynote (File > Export To)',
    extensions: ['key'],
  },
  zip,
  {
    name: 'a compressed file (gzip)',
    advice: unpack('gunzip FILE'),
    extensions: ['gz', 'tgz'],
    signature: /^\x1f\x8b/s,
  },
  {
    name: 'a compressed file',
    advice: unpack('7z x FILE'),
    extensions: ['bz2', 'xz', 'zst', '7z', 'rar'],
    signature: /^(?:BZh[1-9]1AY|\xfd7zXZ|\(\xb5\/\xfd|7z\xbc\xaf|Rar!\x1a)/s,
  },
  {
    name: 'a tar archive',
    advice: unpack('tar -xf FILE'),
    extensions: ['tar'],
    signature: /^.{257}ustar/s,
  },
  otherImage,
  {
    name: 'audio',
    advice: 'transcribe it, for example: whisper FILE --output_format txt',
    extensions: ['mp3', 'wav', 'flac', 'ogg', 'oga', 'opus', 'm4a', 'aac', 'wma', 'aiff', 'mid'],
    signature:
      /^(?:ID3|\xff[\xe2\xe3\xf1-\xf3\xf9-\xfb]|fLaC|OggS|RIFF.{4}WAVE|.{4}ftypM4[AB]|FORM.{4}AIF|#!AMR|MThd)/s,
  },
  {
    name: 'a video',
    advice: 'name its subtitles, or transcribe it, for example: whisper FILE --output_format srt',
    extensions: ['mp4', 'm4v', 'mkv', 'webm', 'avi', 'mov', 'mpg', 'mpeg', 'wmv', 'flv'],
    signature: /^(?:.{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI |FLV\x01|\0\0\x01[\xba\xb3]|0&\xb2u)/s,
  },
  {
    name: 'a Kindle book',
    advice: 'convert it to EPUB, for example: ebook-convert FILE FILE.epub',
    extensions: ['mobi', 'azw', 'azw3'],
    signature: /^.{60}BOOKMOBI/s,
  },
]

const formatByExtension: ReadonlyMap<string, UnsupportedFormat> = new Map(
  formats.flatMap((format) => format.extensions.map((extension) => [extension, format] as const)),
)

/** Returns the format by the first bytes of a file, each as one character. */
export function findFormatBySignature(start: string): UnsupportedFormat | undefined {
  return formats.find(({ signature }) => signature?.test(start))
}

/** Returns the format by the extension of a file. */
export function findFormatByExtension(extension: string): UnsupportedFormat | undefined {
  return formatByExtension.get(extension)
}
