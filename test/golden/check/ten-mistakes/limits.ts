import { quota } from 'headgate';
import { hostname } from 'node:os';

export const hourly = quota('hourly', { unit: 'requests', limit: 0, window: '1h' });
export const host = hostname();
