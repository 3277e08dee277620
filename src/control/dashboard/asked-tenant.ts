import { type TenantName, tenantName } from "../../names.ts";
import { ControlError } from "../control-error.ts";
import type { Asked } from "./pages.ts";

/**
 * Whose page is asked for: the bearer's own tenant's, else the one that is named, if any; `null` for all tenants'. Throws
 * ControlError `not_found` for what is no tenant's name.
 */
export function askedTenant({ c, bearer }: Asked, given: unknown = c.req.query("tenant")): TenantName | null {
	const text = bearer.tenant ?? String(given ?? "").trim();
	if (text === "") return null;
	if (!tenantName.safeParse(text).success) throw new ControlError("not_found", "there is no such tenant");
	return text;
}
