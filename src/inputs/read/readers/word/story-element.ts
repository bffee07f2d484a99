import type { Story } from './word-story.ts'

/** What a story does at the start and at the end of an element. */
export interface StoryElement {
  open?(story: Story, attributes: Readonly<Record<string, string>>): void
  close?(story: Story): void
}

/** Elements by name. */
export type StoryElements = readonly (readonly [string, StoryElement])[]
