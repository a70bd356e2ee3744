import { contextPolicy } from 'headgate';

export const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 32_000, reserveOutput: 4_000 });
