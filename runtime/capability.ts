/** What a model can do beyond text in and text out. */

export const capabilityNames = [
  'tools',
  'parallelTools',
  'structuredOutput',
  'reasoning',
  'images',
  'files',
  'audioIn',
  'audioOut',
  'promptCache',
] as const;
export type Capability = (typeof capabilityNames)[number];
