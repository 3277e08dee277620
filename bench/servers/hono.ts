/** The Hono app of examples/ on @hono/node-server: the same code without isolates. */
import { serve } from "@hono/node-server";
import app from "../../examples/app.ts";

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(`port ${port}`));
process.on("disconnect", () => process.exit(0));
