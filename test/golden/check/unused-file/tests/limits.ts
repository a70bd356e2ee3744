import { invariant } from 'headgate';

invariant('never holds', () => false);
