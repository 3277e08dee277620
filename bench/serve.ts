import type { Runtime } from "../src/index.ts";
import { giveBackWhenQuiet } from "../src/processes/spare-memory.ts";
import type { HttpServer } from "../src/server/http-server.ts";

/** Serves a runtime on a port of its own, which is printed, until the bench that started this process lets go of it. */
export async function serve(server: HttpServer, runtime: Runtime): Promise<void> {
	const { port } = await server.listen(0, "127.0.0.1");
	console.log(`port ${port}`);
	// As `atoll serve` does.
	giveBackWhenQuiet(() => runtime.inFlight === 0);
	process.on("disconnect", async () => {
		await server.close();
		await runtime.close();
		process.exit(0);
	});
}
