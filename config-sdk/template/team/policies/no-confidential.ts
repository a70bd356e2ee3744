/** Refuses requests that carry a confidentiality marking: such documents stay in the house. */
import { policy } from 'headgate';

export const noConfidential = policy('no-confidential', {
  kind: 'blockTerms',
  terms: ['company confidential', 'internal use only'],
});
