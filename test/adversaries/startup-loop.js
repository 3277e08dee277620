// Its top level never ends, so that every request to it is a cold start that fails.
for (;;);
// biome-ignore lint/correctness/noUnreachable: that is the point
export default { fetch: () => new Response("never") };
