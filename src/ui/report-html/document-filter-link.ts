import { html, type Markup } from './html-template.ts'

/**
 * The name of a document or a folder; leads to the table of documents, and has it show those.
 * @param searchText what they have in their names
 */
export function renderDocumentFilterLink(name: string, searchText = name): Markup {
  return html`<a class="find" href="#documents" data-sought="${searchText}"><bdi>${name}</bdi></a>`
}
