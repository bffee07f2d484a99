import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolveAsset } from '../../assets.ts'
import { generatorName } from '../../core/report/generated-marker.ts'
import { html, Markup } from './html-template.ts'

/**
 * Renders the beginning of a self-contained page.
 * @param script the only script that may run; none if left out
 */
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

export function readPageAsset(name: 'report.css' | 'report.js' | 'local-times.js'): string {
  return readFileSync(resolveAsset(`./assets/pages/${name}`), 'utf8')
}

/**
 * Allows the page's own style and script only, so that markup that slipped in could neither run nor load
 * anything.
 */
function buildContentSecurityPolicy(style: string, script: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${toCspHash(style)}`,
    ...(script === undefined ? [] : [`script-src ${toCspHash(script)}`]),
    // For the empty icon; without one, browsers request /favicon.ico.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function toCspHash(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
