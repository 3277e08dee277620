import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ClientError, Exit } from "./client-error.ts";

const TSCONFIG = `{
	"compilerOptions": {
		"lib": ["esnext"],
		"module": "esnext",
		"moduleResolution": "bundler",
		"noEmit": true,
		"strict": true,
		"types": ["atoll-edge/types"]
	}
}
`;

const API = `export default {
	async fetch(request: Request): Promise<Response> {
		const { pathname, searchParams } = new URL(request.url);
		if (pathname === "/") return Response.json({ try: "/hello?name=you" });
		if (pathname === "/hello") return Response.json({ hello: searchParams.get("name") ?? "world" });
		return Response.json({ error: "not found" }, { status: 404 });
	},
};
`;

const HONO = `import { Hono } from "hono";

const app = new Hono();

app.get("/", (c) => c.text("Hello from Hono"));
app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));

export default app;
`;

const HTML = `import page from "./page.html";

export default {
	fetch(): Response {
		return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
	},
};
`;

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Hello</title>
<h1>Hello from atoll</h1>
`;

/** The files of each template, beside those that all have. */
const TEMPLATES: Record<string, { files: Record<string, string>; dependencies?: Record<string, string> }> = {
	api: { files: { "src/index.ts": API } },
	hono: { files: { "src/index.ts": HONO }, dependencies: { hono: "^4.13.0" } },
	html: { files: { "src/index.ts": HTML, "src/page.html": PAGE } },
};

/** `atoll init`: a new function in a folder, which is empty or not there. */
export function init(folder: string, template: string): void {
	const chosen = Object.hasOwn(TEMPLATES, template) ? TEMPLATES[template] : undefined;
	if (chosen === undefined)
		throw new ClientError(
			`--template must be one of ${Object.keys(TEMPLATES).join(", ")}, not ${JSON.stringify(template)}`,
			Exit.usage,
		);
	const root = resolve(folder);
	if (existsSync(root) && readdirSync(root).length > 0)
		throw new ClientError(`${folder} is not empty; give the name of a new folder`, Exit.usage);
	const name =
		basename(root)
			.toLowerCase()
			.replaceAll(/[^a-z0-9-]+/g, "-")
			.replaceAll(/^-+|-+$/g, "") || "hello";
	const { files, dependencies = {} } = chosen;
	const manifest = { name, private: true, type: "module", dependencies };
	const all = {
		"atoll.jsonc": `{\n\t"$schema": "./node_modules/atoll-edge/schema/function.json",\n\t"name": ${JSON.stringify(name)},\n\t"main": "src/index.ts"\n}\n`,
		"package.json": `${JSON.stringify(manifest, null, "\t")}\n`,
		"tsconfig.json": TSCONFIG,
		...files,
	};
	for (const [path, content] of Object.entries(all)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), content);
	}
	const steps = [
		...(folder === "." ? [] : [`cd ${folder}`]),
		...(Object.keys(dependencies).length > 0 ? ["npm install"] : []),
		"atoll dev .      (try it here)",
		"atoll deploy     (to a server of `atoll up`)",
	];
	console.log(`${name} is in ${folder}. Next:\n\n${steps.map((step) => `  ${step}`).join("\n")}\n`);
}
