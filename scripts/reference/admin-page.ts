/** As much of a schema as the page shows. */
interface Schema {
	$ref?: string;
	type?: string | string[];
	description?: string;
	properties?: Record<string, Schema>;
	required?: string[];
	items?: Schema;
	additionalProperties?: Schema | boolean;
	enum?: string[];
	format?: string;
	default?: unknown;
	anyOf?: Schema[];
}

type Content = Record<string, { schema: Schema }>;

interface Operation {
	summary: string;
	security: { token: string[] }[];
	parameters?: { in: string; name: string; schema: Schema; description?: string }[];
	requestBody?: { content: Content };
	responses: Record<string, { content?: Content }>;
}

/** The description of the API, as OpenAPI has it. */
export interface Description {
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, Schema> };
}

const HEAD = `# The admin API

\`atoll up\` has it on its admin port, below \`/v1\`; \`/openapi.json\` describes it to programs, and \`/api\` is a page to try
it. This page is made of that description by \`npm run reference\`.

Each call takes \`Authorization: Bearer TOKEN\`. A token has a scope (\`read\`, \`deploy\` or \`admin\`, each with those before
it), and acts for one tenant or for all, on some of its functions or on all. What is refused has a \`Problem\` for a body
(\`application/problem+json\`), whose \`code\` is for programs: \`invalid\` (400), \`unauthorized\` (401), \`forbidden\` (403),
\`not_found\` (404), \`conflict\` (409), \`too_large\` (413), \`does_not_build\` and \`does_not_start\` (422),
\`unknown_namespace\` (400: a version is bound to a KV namespace that was removed),
\`too_many_attempts\` (429, with \`retry-after\`), \`internal\` (500), \`not_supported\` (501), \`disk_full\` (507). A call that
changes something answers once it is on the disk and the edges serve it.

\`\`\`sh
curl -H "authorization: Bearer $ATOLL_TOKEN" http://127.0.0.1:8788/v1/tenants/default/functions
\`\`\`

\`GET /healthz\` and \`GET /readyz\` take no token, and \`GET /metrics\` none on the machine itself. Cloudflare's API is beside it, below \`/client/v4\`:
[migrating-from-workers.md](migrating-from-workers.md).
`;

/** docs/api-admin.md */
export function adminPage({ paths, components: { schemas } }: Description): string {
	const calls = Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => call(method, path, operation)),
	);
	const shapes = Object.entries(schemas).map(([name, schema]) => `### ${name}\n\n${tableOf(schema)}`);
	return `${[HEAD, "## Calls\n", ...calls, "## What they take and give\n", ...shapes].join("\n").trimEnd()}\n`;
}

function call(method: string, path: string, operation: Operation): string {
	const { summary, security, parameters = [], requestBody, responses } = operation;
	const [scope] = security[0].token;
	const query = parameters.filter((parameter) => parameter.in === "query");
	const queried: Schema = {
		properties: Object.fromEntries(query.map(({ name, schema, description }) => [name, { description, ...schema }])),
	};
	const body = requestBody === undefined ? [] : Object.entries(requestBody.content);
	const given = Object.entries(responses[200].content ?? {});
	const lines = [
		...(query.length > 0 ? ["takes queries, each any number of times"] : []),
		...body.map(([media, { schema }]) => `takes ${ofMedia(media, schema)}`),
		...given.map(([media, { schema }]) => `gives ${ofMedia(media, schema)}`),
	];
	const shapes = [...(query.length > 0 ? [queried] : []), ...[...body, ...given].map(([, { schema }]) => schema)];
	const tables = shapes.map((schema) => (schema.properties === undefined ? "" : tableOf(schema)));
	const about = `${summary}. Scope \`${scope}\`; ${lines.join("; ")}.`;
	return [`### ${method.toUpperCase()} ${path}\n`, wrapped(about), "", ...tables.filter(Boolean)].join("\n");
}

function ofMedia(media: string, schema: Schema): string {
	return media === "application/json" ? kindOf(schema) : `\`${media}\``;
}

function tableOf({ properties = {}, required = [] }: Schema): string {
	if (Object.keys(properties).length === 0) return "";
	const rows = Object.entries(properties).map(([name, schema]) => {
		const { description = "", default: fallback } = schema;
		const isOptional = !required.includes(name);
		const presence =
			fallback !== undefined ? `Default \`${JSON.stringify(fallback)}\`.` : isOptional ? "Optional." : "";
		const about = [description.replaceAll("<", "\\<"), presence].filter(Boolean).join(" ");
		return `| \`${name}\` | ${kindOf(schema)} | ${about || "–"} |`;
	});
	return ["| field | type | |", "|---|---|---|", ...rows, ""].join("\n");
}

/** What a value is, in a few words. */
function kindOf(schema: Schema): string {
	const { $ref, type, items, additionalProperties, anyOf, format, properties } = schema;
	if ($ref !== undefined) {
		const name = $ref.slice($ref.lastIndexOf("/") + 1);
		return `[${name}](#${name.toLowerCase()})`;
	}
	if (schema.enum !== undefined) return schema.enum.map((one) => `\`${one}\``).join(" or ");
	if (anyOf !== undefined) return anyOf.map(kindOf).join(" or ");
	if (Array.isArray(type)) return type.map((one) => kindOf({ ...schema, type: one })).join(" or ");
	if (type === "array") return `a list of ${items === undefined ? "anything" : kindOf(items)}`;
	if (type !== "object") return format === undefined ? (type ?? "anything") : `${type} (${format})`;
	if (typeof additionalProperties === "object") return `an object of ${kindOf(additionalProperties)}`;
	return properties === undefined || Object.keys(properties).length === 0
		? "an object"
		: `an object (${Object.keys(properties)
				.map((name) => `\`${name}\``)
				.join(", ")})`;
}

/** Text in lines of 118 columns. */
function wrapped(text: string): string {
	const lines = [""];
	for (const word of text.split(" ")) {
		const last = lines[lines.length - 1];
		if (last === "") lines[lines.length - 1] = word;
		else if (last.length + word.length + 1 > 118) lines.push(word);
		else lines[lines.length - 1] = `${last} ${word}`;
	}
	return lines.join("\n");
}
