import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./load.ts";
import { Platform, uploadOf } from "./platform.ts";

const ROUNDS = 20;
/** So long as a client that bundles a Hono application makes it. */
const PADDING = `/* ${"x".repeat(60_000)} */`;

interface Row {
	step: string;
	ms: number;
	/** Over a cold start of the same function, in the same run. */
	overCold: number;
}

/** What a deployment takes on the server: from an upload to the first answer of the version. */
export async function benchDeploy(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-deploy-"));
	const server = await Platform.start(folder);
	try {
		const form = (mark: string) =>
			uploadOf(`${PADDING}\nexport default { fetch: () => new Response(${JSON.stringify(mark)}) };`);
		const upload = async (name: string, body: Awaited<ReturnType<typeof form>>) =>
			(await server.ask("POST", `${name}/versions`, body)).id;
		// The processes that build are there from now on.
		await server.release("busy", await upload("busy", await form("first")));
		const steps: Record<string, number[]> = {
			"cold start": [],
			upload: [],
			release: [],
			"first answer": [],
			"all of it": [],
		};
		for (let i = 0; i < ROUNDS; i++) {
			// A cold start: of a function that nobody has asked yet.
			await server.release(`cold${i}`, await upload(`cold${i}`, await form(String(i))));
			await new Promise((next) => setTimeout(next, 30));
			steps["cold start"].push(await timed(() => server.get(`cold${i}`)));
			const body = await form(`v${i}`);
			let version = "";
			const uploading = await timed(async () => {
				version = await upload("busy", body);
			});
			const releasing = await timed(() => server.release("busy", version));
			const answering = await timed(() => server.get("busy"));
			steps.upload.push(uploading);
			steps.release.push(releasing);
			steps["first answer"].push(answering);
			steps["all of it"].push(uploading + releasing + answering);
		}
		const cold = median(steps["cold start"]);
		const rows = Object.entries(steps).map(([step, all]) => ({
			step,
			ms: Math.round(median(all) * 10) / 10,
			overCold: Math.round((median(all) / cold) * 10) / 10,
		}));
		console.log(`\nA deployment on the server, medians of ${ROUNDS}\n`);
		console.table(rows);
		return rows;
	} finally {
		await server.stop();
		rmSync(folder, { recursive: true, force: true });
	}
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const began = performance.now();
	await work();
	return performance.now() - began;
}
