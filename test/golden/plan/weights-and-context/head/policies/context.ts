import { contextPolicy } from 'headgate';

export const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 12_000, reserveOutput: 4_000, low: '30%' });
