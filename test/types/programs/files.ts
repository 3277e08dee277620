/** Every kind of file that can be imported beside code. */

import add from "./add.wasm";
import page from "./page.html";
import picture from "./picture.svg";
import query from "./query.sql";
import raw from "./raw.bin";
import settings from "./settings.json" with { type: "json" };
import style from "./style.css";
import text from "./text.txt";

const sizes: number[] = [page, picture, query, style, text].map((content: string) => content.length);
const bytes: Uint8Array<ArrayBuffer> = raw;

export default {
	async fetch(): Promise<Response> {
		const { exports } = await WebAssembly.instantiate(add);
		return Response.json([sizes, bytes.byteLength, exports.add(1, 2), settings.name.toUpperCase()]);
	},
};
