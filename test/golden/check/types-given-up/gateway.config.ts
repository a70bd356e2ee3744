import { consumer, defineGateway, model, weighted, type Target } from 'headgate';
import { house, openai } from './house.ts';
import { listed, scripted } from './scripted.js';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

// Only the rule sees these.
const cast = model('cast', {
  needs: ['tools'],
  targets: [openai.target('gpt-6-sol'), house.target('plain') as Target, house.target('vectors') as never],
});
const needs: 'images'[] = ['images'];
const vague = model('vague', { needs, targets: [house.target('able')] });
const made = (id: string, leg: Target) => model(id, { needs: ['tools'], targets: [leg] });
const first = made('first', house.target('plain'));
const second = made('second', house.target('able'));

// The compiler sees these as well, and says it in another place or in more words.
const rest = [house.target('plain')] as const;
const spread = model('spread', { needs: ['tools'], targets: [openai.target('gpt-6-sol'), ...rest] });
const both = [openai.target('gpt-6-sol'), house.target('plain')] as const;
const named = model('named', { needs: ['tools'], targets: both });
const several = model('several', {
  needs: ['tools', 'images'],
  targets: [
    openai.target('gpt-6-sol'),
    weighted(
      { weight: 1, target: house.target('plain') },
      { weight: 1, target: house.target('able') },
      { weight: 1, target: house.target('vectors') },
    ),
  ],
});

export default defineGateway({
  name: 'demo',
  models: [scripted, listed, cast, vague, first, second, spread, named, several],
  consumers: [team],
});
