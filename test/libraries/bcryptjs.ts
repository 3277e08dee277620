import bcrypt from "bcryptjs";

export default {
	async fetch(): Promise<Response> {
		const salt = "$2b$04$abcdefghijklmnopqrstuu";
		const hash = await bcrypt.hash("pässword", salt);
		const made = bcrypt.hashSync("x", bcrypt.genSaltSync(4));
		return Response.json([
			hash,
			await bcrypt.compare("pässword", hash),
			await bcrypt.compare("other", hash),
			bcrypt.compareSync("x", made),
			bcrypt.getRounds(hash),
		]);
	},
};
