/** How the support desk speaks. The variables are whatever stands in double braces; `with` demands a value for each. */
import { prompt } from 'headgate';

export const support = prompt('support', {
  system: 'You answer questions of {{customer}} in a {{tone}} tone. When you do not know, say so.',
  choices: { tone: ['friendly', 'formal'] },
  fixtures: {
    usual: { customer: 'Ada', tone: 'friendly' },
  },
});
