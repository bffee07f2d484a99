import { expect, it } from 'vitest'
import { stripMarkup } from '../../src/claude/strip-markup.ts'

it.each([
  ['<h1>502 Bad Gateway</h1>', '502 Bad Gateway'],
  ['<STYLE>x{}</STYLE><p class="a">One</p><p>two', 'One two'],
  ['a<script>if (a<b) c("</scripts>")</script >b', 'a b'],
  ['a<script src="x">never closed <b>', 'a'],
  ['a < b', 'a < b'],
  ['a <never closed', 'a <never closed'],
  ['<scripting>b</scripting>', 'b'],
  ['', ''],
])('stripMarkup turns %j into %j', (html, text) => {
  expect(stripMarkup(html).replace(/\s+/g, ' ').trim()).toBe(text)
})
