import { customAlphabet, nanoid, urlAlphabet } from "nanoid";

export default {
	fetch(): Response {
		const ids = new Set(Array.from({ length: 1000 }, () => nanoid()));
		const custom = customAlphabet("ab", 50)();
		return Response.json([
			ids.size,
			[...ids].every((id) => id.length === 21),
			/^[ab]{50}$/.test(custom),
			urlAlphabet.length,
			nanoid(5).length,
		]);
	},
};
