// Spends its time in the sandbox's own functions, where V8's timer does not run.
export default {
	fetch() {
		for (;;) {
			try {
				new URL(`http://${"a".repeat(1000)}.test/`);
				crypto.getRandomValues(new Uint8Array(65536));
			} catch {}
		}
	},
};
