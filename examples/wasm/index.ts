// A WebAssembly module: the sum of two numbers, at /?a=2&b=3
import module from "./add.wasm";

const instance = new WebAssembly.Instance(module);
const add = instance.exports.add as (a: number, b: number) => number;

export default {
	fetch(request: Request): Response {
		const { searchParams } = new URL(request.url);
		const a = Number(searchParams.get("a") ?? 2);
		const b = Number(searchParams.get("b") ?? 3);
		return Response.json({ a, b, sum: add(a, b) });
	},
};
