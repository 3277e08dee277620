import { NIL, parse, stringify, v3, v4, v5, v7, validate, version } from "uuid";

export default {
	fetch(): Response {
		return Response.json([
			v3("name", v5.DNS),
			v5("name", v5.URL),
			validate(v4()),
			version(v7()),
			stringify(parse("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")),
			NIL,
			((first) => first < v7())(v7()),
		]);
	},
};
