import {
	compressSync,
	decompressSync,
	Gzip,
	gunzipSync,
	gzipSync,
	strFromU8,
	strToU8,
	unzipSync,
	zipSync,
	zlibSync,
} from "fflate";

export default {
	async fetch(): Promise<Response> {
		const text = "the quick brown fox ".repeat(500);
		const gz = gzipSync(strToU8(text), { mtime: 1 });
		const zip = zipSync({ "a.txt": strToU8("A"), dir: { "b.txt": strToU8(text) } }, { mtime: "2026-01-01" });
		const streamed: Uint8Array[] = [];
		const stream = new Gzip({ mtime: 1 }, (chunk) => streamed.push(chunk));
		stream.push(strToU8("part one "));
		stream.push(strToU8("part two"), true);
		const platform = await new Response(
			new Blob([gz as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip")),
		).text();
		return Response.json([
			strFromU8(gunzipSync(gz)) === text,
			platform === text,
			Object.entries(unzipSync(zip)).map(([name, bytes]) => [name, bytes.length]),
			strFromU8(gunzipSync(new Uint8Array(await new Blob(streamed as BlobPart[]).arrayBuffer()))),
			strFromU8(decompressSync(compressSync(strToU8("x")))),
			zlibSync(strToU8(text)).length,
		]);
	},
};
