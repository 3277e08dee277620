/** What the command line runs, in one place so that it is loaded when it is asked for. */
export { login, token, whoami } from "./commands/access.ts";
export { alerts } from "./commands/alerts.ts";
export { purge } from "./commands/cache.ts";
export { deploy } from "./commands/deploy.ts";
export { list, remove, versions } from "./commands/functions.ts";
export { invoke, trigger } from "./commands/invocations.ts";
export { logs } from "./commands/logs.ts";
export { profile } from "./commands/profile.ts";
export { alias, promote, rollback } from "./commands/releases.ts";
export { backup, doctor } from "./commands/server.ts";
export { env, hostnames, secret, setPaused, settings } from "./commands/settings.ts";
export { source } from "./commands/sources.ts";
export { sql } from "./commands/sql.ts";
export { tail } from "./commands/tail.ts";
export { balance, budget, invoice, usage } from "./commands/usage.ts";
