/** The compatibility flags that the function's version asks for, each by its name: true where it is on. */
export const compatibilityFlags: Record<string, boolean> = {};

/** https://developers.cloudflare.com/workers/configuration/compatibility-flags/#accessing-the-enabled-flags */
export const Cloudflare = { compatibilityFlags };
Object.defineProperty(Cloudflare, Symbol.toStringTag, { value: "Cloudflare", configurable: true });
