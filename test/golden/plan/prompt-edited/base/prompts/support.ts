import { prompt } from 'headgate';

export const support = prompt('support', {
  system: `You answer questions of {{customer}} about orders, in a {{tone}} tone. When you do not know, say so and offer to ask a colleague. Never promise a refund.

Answer in the language of the question.
Keep it under five sentences.`,
  choices: { tone: ['formal', 'friendly'] },
  fixtures: {
    'known-customer': { customer: 'Ada Lovelace', tone: 'formal' },
    visitor: { customer: 'a visitor of the shop', tone: 'friendly' },
  },
});
