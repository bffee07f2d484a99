import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { shipped } from '../../assets.ts'
import { generator } from '../../core/document/generated-marker.ts'
import { html, Markup } from './html-template.ts'

/** The beginning of a page that needs no other file and no network. @param script none, if it is left out */
export function opening(title: string, style: string, script?: string): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="${generator}">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy(style, script))}">
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

export const closing = '</body>\n</html>\n'

export function asset(name: 'report.css' | 'report.js'): string {
  return readFileSync(shipped(`./assets/pages/${name}`), 'utf8')
}

/** Its own style and script, and nothing else: what got in as markup after all could neither run nor ask anybody. */
function policy(style: string, script: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    // Its icon, which is none: without one browsers ask for it.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function hashOf(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
