/** NVIDIA NIM: the hosted catalogue, or with another `baseUrl` a container of one's own. */
import { compatible } from './compatible.ts';

export const nvidia = compatible({
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  // The cap's only name there (docs.nvidia.com/nim, "create chat completion"); unknown fields are refused with 422
  // (NVIDIA/garak#748).
  quirks: { outputCap: 'max_tokens' },
});
