/** The bindings that there are, by the names of their folders. A line here is all that one needs beside its folder. */
export const BINDINGS = [
	"fetch",
	"caches",
	"loopback",
	"sockets",
	"service",
	"assets",
	"kv",
	"objects",
	"queue",
	"ratelimit",
	"sql",
	"analytics",
];

/** Those of them that every function has, and that stand in no `env`. */
export const GLOBALS = ["fetch", "caches", "loopback", "sockets"];
