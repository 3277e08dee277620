// A few kilobytes that become megabytes, unpacked again and again, with all of it kept.
const zeros = new Uint8Array(2 ** 20);
const kept = [];

export default {
	async fetch() {
		const packed = await new Response(new Blob([zeros]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
		for (;;) kept.push(await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
	},
};
