/** The bindings that there are, by the names of their folders. A line here is all that one needs beside its folder. */
export const BINDINGS = ["fetch", "service"];

/** The one of these whose number is 0 for every function: it stands in no `env`. */
export const GLOBAL = "fetch";
