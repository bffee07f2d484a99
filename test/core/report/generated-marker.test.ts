import { describe, expect, it } from 'vitest'
import {
  generatorName,
  isGenerated,
  markdownMarker,
  reportFormats,
} from '../../../src/core/report/generated-marker.ts'

describe('isGenerated', () => {
  it.each([
    ['json', '{\n  "format": "claude-batch report",'],
    ['json', '{"format":"claude-batch estimate","version":1'],
    ['json', '\ufeff{ "format" : "claude-batch report"'],
    ['md', `${markdownMarker}\n# No runs yet\n`],
    ['md', markdownMarker.replace('\n', '\r\n')],
    ['jsonl', '{"format_version":2,"path":"a.md","status":"summarized"'],
    ['csv', '\ufeff"path","status","model","ended_at","input_tokens"'],
    ['html', `<!doctype html>\n<html lang="en">\n<head>\n<meta name="generator" content="${generatorName}">`],
  ] as const)('returns true for a generated %s file that starts with %j', (format, beginning) => {
    expect(isGenerated(format, beginning)).toBe(true)
  })

  it.each([
    ['json', '{"version": 1, "format": "claude-batch report"}'],
    ['json', '[{"format": "claude-batch report"}]'],
    ['json', '{"format": "another report"}'],
    ['jsonl', '{"path":"a.md","status":"summarized"'],
    ['csv', 'path,status,model,ended_at,input_tokens'],
    ['csv', '"path","status","model","notes"'],
    ['md', `# Mine\n${markdownMarker}`],
    ['md', markdownMarker.trim()],
    ['html', '<!doctype html><meta name="generator" content="claude-batch-notes">'],
    ['html', `<!doctype html>${' '.repeat(400)}<meta name="generator" content="${generatorName}">`],
    ['html', `<p>&lt;!doctype html><meta name="generator" content="${generatorName}">`],
  ] as const)('returns false for another %s file that starts with %j', (format, beginning) => {
    expect(isGenerated(format, beginning)).toBe(false)
  })

  it('returns false for a generated file of another format', () => {
    for (const format of reportFormats)
      for (const other of reportFormats.filter((it) => it !== format))
        expect(
          isGenerated(other, { json: '{"format": "claude-batch ', md: markdownMarker, html: '' }[format]),
        ).toBe(false)
  })
})
