import superjson from "superjson";

class Point {
	x: number;
	constructor(x: number) {
		this.x = x;
	}
}
superjson.registerClass(Point);

export default {
	fetch(): Response {
		const shared = { s: 1 };
		const value = {
			date: new Date(5),
			map: new Map([["k", new Set([1n, 2n])]]),
			re: /a/gi,
			undef: undefined,
			nan: Number.NaN,
			url: new URL("http://a/"),
			err: new RangeError("x"),
			point: new Point(3),
			a: shared,
			b: shared,
		};
		const text = superjson.stringify(value);
		const back = superjson.parse<typeof value>(text);
		return Response.json([
			text.replace(/"stack":"[^"]*"/, ""),
			back.map.get("k")?.has(2n),
			back.date.getTime(),
			back.re.source,
			back.point instanceof Point,
			back.a === back.b,
			back.url.href,
			back.err.name,
		]);
	},
};
