/** Where stand-ins read the function's environment: the part of Deno's namespace that every isolate has. */
declare const Deno: { env: { toObject(): Record<string, unknown> } };
