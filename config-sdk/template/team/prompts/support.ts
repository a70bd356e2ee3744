/** How the assistant speaks. A variable is whatever stands in double braces; `with` demands a value for each. */
import { prompt } from 'headgate';

export const support = prompt('support', {
  system: 'You answer questions about {{company}} in a {{tone}} tone. When you do not know, say so.',
  choices: { tone: ['friendly', 'formal'] },
  // Example values: reviewers see the prompt rendered with them before and after a change.
  fixtures: {
    usual: { company: 'Example Ltd', tone: 'friendly' },
    formal: { company: 'Example Ltd', tone: 'formal' },
  },
});
