import { html, type Markup } from './html-template.ts'

/**
 * Renders the name of a document or folder as a link that filters the table of documents.
 * @param searchText text that the names must contain
 */
export function renderDocumentFilterLink(name: string, searchText = name): Markup {
  return html`<a class="find" href="#documents" data-sought="${searchText}"><bdi>${name}</bdi></a>`
}
