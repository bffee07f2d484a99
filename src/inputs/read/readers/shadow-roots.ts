import { type HtmlElement, type HtmlNode, walkHtml } from './html-tree.ts'
import { isShadowRoot } from './html-visibility.ts'

/**
 * Replaces the content of each element that has a declarative shadow root (`<template shadowrootmode>`) with
 * what browsers show: the content of the shadow root, with the element's former content in its slots.
 */
export function applyShadowRoots(root: HtmlElement): void {
  const hosts: HtmlElement[] = []
  walkHtml(root, {
    onEnter(element) {
      if (element.children.some((child) => isElement(child) && isShadowRoot(child))) hosts.push(element)
    },
  })
  for (const host of hosts) applyShadowRoot(host)
}

function applyShadowRoot(host: HtmlElement): void {
  const shadow = host.children.find((child): child is HtmlElement => isElement(child) && isShadowRoot(child))
  if (shadow === undefined) return
  const bySlot = new Map<string, HtmlNode[]>()
  for (const child of host.children) {
    if (child === shadow) continue
    const slot = isElement(child) ? (child.attributes['slot'] ?? '') : ''
    const nodes = bySlot.get(slot)
    if (nodes === undefined) bySlot.set(slot, [child])
    else nodes.push(child)
  }
  walkHtml(shadow, {
    onEnter(element) {
      // Slots in another shadow root belong to that root.
      if (element !== shadow && isShadowRoot(element)) return false
      if (element.name !== 'slot') return true
      const name = element.attributes['name'] ?? ''
      const assigned = bySlot.get(name)
      bySlot.delete(name)
      // Without content for it, a slot shows its own.
      if (assigned?.some((node) => isElement(node) || node.trim() !== '')) element.children = assigned
      return false
    },
  })
  host.children = shadow.children
}

function isElement(node: HtmlNode): node is HtmlElement {
  return typeof node !== 'string'
}
