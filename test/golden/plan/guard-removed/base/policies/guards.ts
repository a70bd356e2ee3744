import { policy } from 'headgate';

export const noConfidential = policy('no-confidential', {
  kind: 'blockTerms',
  terms: ['company confidential', 'internal use only', 'attorney-client'],
});
export const noPatients = policy('no-patients', { kind: 'blockTerms', terms: ['patient id', 'diagnosis'] });
