import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolveAsset } from '../../assets.ts'
import { generatorName } from '../../core/report/generated-marker.ts'
import { html, Markup } from './html-template.ts'

/** The beginning of a page that needs no other file and no network. @param script none, if it is left out */
export function renderPageStart(title: string, style: string, script?: string): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="${generatorName}">
<meta http-equiv="Content-Security-Policy" content="${new Markup(buildContentSecurityPolicy(style, script))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title} – claude-batch</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
`
}

export const pageEnd = '</body>\n</html>\n'

export function readPageAsset(name: 'report.css' | 'report.js'): string {
  return readFileSync(resolveAsset(`./assets/pages/${name}`), 'utf8')
}

/** Its own style and script, and nothing else: what got in as markup after all could neither run nor ask anybody. */
function buildContentSecurityPolicy(style: string, script: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${toCspHash(style)}`,
    ...(script === undefined ? [] : [`script-src ${toCspHash(script)}`]),
    // Its icon, which is none: without one browsers ask for it.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function toCspHash(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
