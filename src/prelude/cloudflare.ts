/**
 * The compatibility flags of the function's deployment, each by its name: true where it is on. There are none yet;
 * what a deployment had would be put here before its script runs (`begin` in `index.ts`).
 */
const compatibilityFlags: Record<string, boolean> = {};

/** https://developers.cloudflare.com/workers/configuration/compatibility-flags/#accessing-the-enabled-flags */
export const Cloudflare = { compatibilityFlags };
Object.defineProperty(Cloudflare, Symbol.toStringTag, { value: "Cloudflare", configurable: true });
