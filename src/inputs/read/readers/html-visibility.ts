import type { HtmlElement } from './html-tree.ts'

/** Whether an element never has text that a reader sees: scripts, controls, media. */
export function isInvisibleTag(element: HtmlElement): boolean {
  const { name, attributes } = element
  return (
    invisibleTags.has(name) ||
    (name === 'template' && !isShadowRoot(element)) ||
    (name === 'dialog' && attributes['open'] === undefined)
  )
}

/** Whether an element is shown only by browsers without scripts or frames. */
export function isFallbackTag({ name }: HtmlElement): boolean {
  return name === 'noscript' || name === 'noframes'
}

/** Whether a `<template>` becomes the visible content of the element around it. */
export function isShadowRoot({ name, attributes }: HtmlElement): boolean {
  return name === 'template' && (attributes['shadowrootmode'] ?? attributes['shadowroot']) !== undefined
}

/** Whether an attribute hides an element from readers. */
export function hasHidingAttribute({ name, attributes }: HtmlElement): boolean {
  const { hidden, style = '', popover, 'aria-hidden': ariaHidden } = attributes
  return (
    (hidden !== undefined && hidden.toLowerCase() !== 'until-found') ||
    popover !== undefined ||
    // An image next to a hidden formula shows the formula.
    (ariaHidden === 'true' && name !== 'img') ||
    (style !== '' && hidingStyle.test(style))
  )
}

const hidingStyle =
  /(?:^|[;\s])(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse)|mso-hide\s{0,9}:\s{0,9}all)\b/i

const invisibleTags: ReadonlySet<string> = new Set([
  'script',
  'style',
  'svg',
  'iframe',
  'object',
  'canvas',
  'audio',
  'video',
  'button',
  'select',
  'datalist',
  'noembed',
  'title',
  // The readings of characters get parentheses anyway.
  'rp',
])
