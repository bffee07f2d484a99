import { describe, expect, it } from 'vitest'
import { detectFormat } from '../../../../src/inputs/read/readers/document-formats.ts'
import { createCompoundFile } from '../../../support/compound.ts'
import { createZip } from '../../../support/zip.ts'

const latin1 = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.from([0, 255, 0, 255])])
const oldOffice = (stream: string) => createCompoundFile({ [stream]: Buffer.alloc(9) })

describe('a file of a format without a reader', () => {
  it.each<[string, string, Buffer, string]>([
    ['old Excel', 'x.bin', oldOffice('Workbook'), '--convert-to xlsx FILE'],
    ['old PowerPoint', '-', oldOffice('PowerPoint Document'), '--convert-to pptx FILE'],
    ['an unknown program', 'x.bin', oldOffice('Contents'), 'an old Office file'],
    ['Word 2', 'x', latin1('\xdb\xa5-\0'), '--convert-to docx FILE'],
    ['WordPerfect', 'x.wpd', latin1('\xffWPC'), '--convert-to docx FILE'],
    ['an Excel file before Office 97', 'x.xls', latin1('\t\x08\x10'), 'an old Excel file'],
    ['Pages', 'x.pages', createZip({ 'Index/Document.iwa': 'x' }), 'a Pages document'],
    ['Numbers', 'x.numbers', createZip({ 'Index/Document.iwa': 'x' }), 'export it to Excel'],
    ['Keynote', 'x.key', createZip({ 'Index/Slide.iwa': 'x' }), 'a Keynote presentation'],
    ['binary Excel', 'x.xlsb', createZip({ 'xl/workbook.bin': 'x' }), '--convert-to xlsx'],
    ['zip', 'x.zip', createZip({ 'a.txt': 'x' }), 'unzip FILE'],
    ['gzip', 'x.md.gz', latin1('\x1f\x8b\x08'), 'gunzip FILE'],
    ['7-Zip', 'x.7z', latin1("7z\xbc\xaf'\x1c"), '7z x FILE'],
    ['Photoshop', 'x.png', latin1('8BPS\0\x01'), 'an image'],
    ['BMP', '-', latin1('BM1234\0\0\0\0'), 'magick FILE FILE.png'],
    ['AVIF', 'x.txt', latin1('\0\0\0\x1cftypavif'), 'an image'],
    ['JPEG XL', 'x.jxl', latin1('\xff\x0a\xfa'), 'an image'],
    ['HEIC', 'x.heic', latin1('\0\0\0\x18ftypheic'), 'an image'],
    ['MP3', 'x.mp3', latin1('ID3\x03'), 'transcribe it'],
    ['WAV', 'x.wav', latin1('RIFF1234WAVE'), 'audio'],
    ['M4A', 'x.m4a', latin1('\0\0\0\x18ftypM4A '), 'audio'],
    ['MP4', 'x.mp4', latin1('\0\0\0\x18ftypisom'), 'a video'],
    ['Matroska', 'x.mkv', latin1('\x1aE\xdf\xa3'), 'a video'],
  ])('is refused with advice: %s', (_format, name, bytes, advice) => {
    expect(detectFormat(name, bytes)).toMatchObject({
      action: 'fail',
      type: 'binary',
      message: expect.stringMatching(new RegExp(`^not text \\(.*${advice.replaceAll('.', '\\.')}`)),
    })
  })

  it('is reported as encrypted if it is an Office file with a password', () => {
    expect(detectFormat('x.docx', oldOffice('EncryptedPackage'))).toMatchObject({ type: 'encrypted' })
  })

  it.each<[string, string | Buffer]>([
    ['x.txt', 'GIF89a is an image format.'],
    ['x.txt', 'ID3 tags and BM files'],
    ['x.key', '-----BEGIN PRIVATE KEY-----'],
    ['x.doc', 'A text with an old name'],
    ['x.doc', Buffer.from('Grüße', 'latin1')],
    ['x.md', 'In RTF, {\\rtf1 begins a file.'],
    ['x.doc', Buffer.from('\ufeffGrüße', 'utf16le')],
  ])('is not mistaken for text: %s, %j', (name, content) => {
    expect(detectFormat(name, Buffer.from(content))).toBeUndefined()
  })
})
