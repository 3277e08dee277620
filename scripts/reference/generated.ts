import { readFileSync } from "node:fs";
import { z } from "zod";
import { functionSchema } from "../../src/config/function-source.ts";
import { serverSchema } from "../../src/config/server.ts";
import { adminApi, describe } from "../../src/control/admin/api.ts";
import type { Control } from "../../src/control/control.ts";
import { adminPage, type Description } from "./admin-page.ts";

/** The files that are made of what is checked and served, each by its path. */
export function generated(): Record<string, string> {
	// What describes a call touches nothing of what performs it.
	const api = describe(adminApi({} as Control)) as Description;
	return {
		"docs/api-admin.md": adminPage(api),
		"schema/server.json": schema("atoll.server.jsonc: how `atoll up` is set up", serverSchema),
		"schema/function.json": schema("atoll.jsonc: a function", functionSchema),
	};
}

interface JsonSchema {
	description?: string;
	properties?: Record<string, JsonSchema>;
}

/** A JSON Schema of a configuration file, as editors read it. */
function schema(title: string, of: z.ZodType): string {
	const made = z.toJSONSchema(of, { io: "input", unrepresentable: "any" }) as JsonSchema;
	for (const [name, one] of Object.entries(made.properties ?? {}))
		if (/limits$/i.test(name)) describeLimits(one, name === "tenantLimits" ? "TenantLimits" : "Limits");
	return `${JSON.stringify({ title, ...made }, null, "\t")}\n`;
}

/** Each limit is told of where its type is. */
function describeLimits({ properties = {} }: JsonSchema, type: string): void {
	const source = readFileSync(new URL("../../src/limits/limits.ts", import.meta.url), "utf8");
	const declared = new RegExp(`interface ${type} \\{\n([\\s\\S]*?)\n\\}`).exec(source)?.[1] ?? "";
	for (const [, docstring, name] of declared.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(\w+): number;/g)) {
		const description = docstring.replaceAll(/\s*\n\s*\*?\s*/g, " ").trim();
		properties[name] = { ...properties[name], description };
	}
}
