import { model, weighted } from 'headgate';
import { house, openai } from './house.ts';

const rest = [house.target('plain')];
export const scripted = model('scripted', {
  needs: ['tools'],
  targets: [
    openai.target('gpt-6-sol'),
    weighted({ weight: 1, target: house.target('able') }, { weight: 1, target: house.target('vectors') }),
  ],
});
export const listed = model('listed', { needs: ['images'], targets: [openai.target('gpt-6-sol'), ...rest] });
