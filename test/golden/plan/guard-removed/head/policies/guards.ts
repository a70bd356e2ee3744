import { policy } from 'headgate';

export const noConfidential = policy('no-confidential', {
  kind: 'blockTerms',
  terms: ['company confidential', 'internal use only'],
});
