/** The bindings that there are, by the names of their folders. A line here is all that one needs beside its folder. */
export const BINDINGS = ["fetch", "caches", "loopback", "service"];

/** Those of them that every function has, and that stand in no `env`; calls of the first have the number 0. */
export const GLOBALS = ["fetch", "caches", "loopback"];
