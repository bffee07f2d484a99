import { html, type Markup } from './html-template.ts'

/**
 * The name of a document or a folder; leads to the table of documents, and has it show those.
 * @param sought what they have in their names
 */
export function wherein(name: string, sought = name): Markup {
  return html`<a class="find" href="#documents" data-sought="${sought}"><bdi>${name}</bdi></a>`
}
