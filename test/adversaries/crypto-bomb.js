// Derivations that would keep the thread pool for hours, and as many as it is given that fit into the request's time.
export default {
	async fetch() {
		const salt = new Uint8Array(16);
		const key = await crypto.subtle.importKey("raw", salt, "PBKDF2", false, ["deriveBits"]);
		const derive = (iterations) =>
			crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt, iterations }, key, 512);
		for (let i = 0; i < 1000; i++) void derive(300_000).catch(() => undefined);
		await crypto.subtle.generateKey(
			{ name: "RSA-PSS", modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
			false,
			["sign"],
		).catch(() => undefined);
		await derive(2 ** 31 - 1);
		return new Response("never");
	},
};
