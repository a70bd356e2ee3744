/** The forms in which a plan is shown. Each is a pure function to text. */
import type { TitledPlan } from '../plan.ts';
import { json } from './json.ts';
import { markdown } from './markdown.ts';
import { pretty } from './pretty.ts';

export const planFormats = ['pretty', 'json', 'markdown'] as const;
export type PlanFormat = (typeof planFormats)[number];

export function renderPlan(plan: TitledPlan, format: PlanFormat, { terminal }: { terminal: boolean }): string {
  switch (format) {
    case 'json':
      return json(plan);
    case 'markdown':
      return markdown(plan);
    default:
      return pretty(plan, terminal);
  }
}
