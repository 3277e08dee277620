import { randomUUID } from "node:crypto";
import { TenantDatabase } from "../../bindings/sql/tenant-database.ts";
import type { TenantName } from "../../names.ts";
import type { SqlProcesses } from "../../stores/sql-processes.ts";
import { ControlError } from "../control-error.ts";
import type { Store } from "../store/store.ts";
import { type StoreKind, TitledStores } from "../titled-stores.ts";

const KIND: StoreKind = {
	documents: { one: "sqlDatabase", title: "sqlTitle", removed: "sqlRemoved" },
	action: "sql",
	binding: { type: "sql", setting: "database" },
	most: 1000,
	newId: randomUUID,
	what: "SQL database",
	missing: (tenant, id) =>
		new ControlError("database_not_found", `the tenant ${tenant} has no SQL database ${JSON.stringify(id)}`),
	taken: (title) => new ControlError("database_name_taken", `a database with that name already exists: ${title}`),
	inUse: (functions) =>
		new ControlError(
			"database_in_use",
			`the database is bound to ${functions.join(", ")}: deploy them without it, or delete them first`,
		),
	unknown: (id) =>
		new ControlError(
			"unknown_database",
			`there is no SQL database '${id}': make one (wrangler d1 create, atoll sql create) and bind its id`,
		),
};

/** The SQL databases that tenants have, by their ids and their names. What is in them is kept by a process of SQL. */
export type SqlDatabases = TitledStores<TenantDatabase>;

export function tenantDatabases(store: Store, sql: SqlProcesses): SqlDatabases {
	const refused = (message: string) => new ControlError("sql_failed", message);
	const open = (tenant: TenantName, database: string) => new TenantDatabase(sql, { tenant, database }, refused);
	return new TitledStores({ store, kind: KIND, open });
}
