import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Sessions } from "../../src/control/dashboard/sessions.ts";
import { Sealer } from "../../src/control/secrets.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { type Grant, Tokens } from "../../src/control/tokens.ts";
import { temporaryFolder } from "../support/runtime.ts";

const folder = temporaryFolder();
const KEY = "ab".repeat(32);
const HOUR = 3600_000;

async function withSessions(name: string, given: Partial<Grant> = {}) {
	const store = SqliteStore.open(join(folder, `${name}.sqlite`));
	const tokens = new Tokens(store);
	const grant: Grant = { label: name, scope: "read", tenant: "acme", functions: null, expires: null, ...given };
	const { id, token } = await tokens.create("test", grant);
	const clock = { now: 1_800_000_000_000 };
	const made = () => new Sessions(tokens, Sealer.open(folder, KEY), () => clock.now);
	const bearer = await tokens.authenticate(`Bearer ${token}`, "127.0.0.1");
	return { store, tokens, id, token, clock, made, sessions: made(), bearer };
}

test("a session is its token's: what that allows, and only as long as it does", async () => {
	const { store, tokens, id, sessions, made, bearer } = await withSessions("revoked");
	const cookie = sessions.begin(bearer);
	const found = await sessions.find(cookie);
	assert.deepEqual(found?.bearer.grant, bearer.grant);
	// It outlives a restart of control.
	assert.equal((await made().find(cookie))?.nonce, found?.nonce);
	await tokens.revoke("test", id);
	assert.equal(await sessions.find(cookie), null);
	await store.close();
});

test("it ends with a token that expires", async () => {
	const { store, tokens, sessions, bearer } = await withSessions("expiring");
	const cookie = sessions.begin(bearer);
	const entry = await store.get("token", bearer.id);
	assert.ok(entry);
	const value = { ...entry.value, expires: new Date(Date.now() - 1000).toISOString() };
	await store.commit({ actor: "test", action: "test", target: "test" }, [
		{ kind: "token", key: bearer.id, value, expected: entry.revision },
	]);
	assert.equal(await tokens.byId(bearer.id), null);
	assert.equal(await sessions.find(cookie), null);
	await store.close();
});

test("nobody can make one up, change one, or use one of another key", async () => {
	const { store, tokens, sessions, bearer } = await withSessions("forged");
	const cookie = sessions.begin(bearer);
	for (const forged of [
		"",
		"x",
		"{}",
		`${cookie.slice(0, -4)}AAAA`,
		`A${cookie.slice(1)}`,
		"a".repeat(5000),
		bearer.id,
	])
		assert.equal(await sessions.find(forged), null, forged.slice(0, 40));
	assert.equal(await sessions.find(undefined), null);
	assert.equal(await new Sessions(tokens, Sealer.open(folder, "cd".repeat(32))).find(cookie), null);
	await store.close();
});

test("it ends an hour after its last page, twelve hours after its begin, and when it is ended", async () => {
	const { store, clock, sessions, bearer } = await withSessions("idle");
	let cookie = sessions.begin(bearer);
	clock.now += HOUR + 1000;
	assert.equal(await sessions.find(cookie), null);
	cookie = sessions.begin(bearer);
	for (let hours = 0; hours < 12; hours++) {
		clock.now += HOUR - 1000;
		const session = await sessions.find(cookie);
		assert.ok(session, `${hours}`);
		cookie = sessions.renewed(session) as string;
		assert.equal(sessions.renewed({ ...session, seen: clock.now / 1000 }), null);
	}
	clock.now += HOUR / 2;
	assert.equal(await sessions.find(cookie), null);

	cookie = sessions.begin(bearer);
	const session = await sessions.find(cookie);
	assert.ok(session);
	let told = 0;
	const forget = sessions.onEnd(session, () => told++);
	sessions.end(session);
	assert.equal(await sessions.find(cookie), null);
	assert.equal(told, 1);
	forget();
	sessions.end(session);
	assert.equal(told, 1);
	await store.close();
});

test("a form is of its session alone", async () => {
	const { store, sessions, bearer } = await withSessions("forms");
	const [one, other] = [await sessions.find(sessions.begin(bearer)), await sessions.find(sessions.begin(bearer))];
	assert.ok(one && other);
	assert.ok(sessions.isOwnForm(one, one.formToken));
	for (const sent of [other.formToken, "", null, undefined, `${one.formToken}x`, "x".repeat(43)])
		assert.ok(!sessions.isOwnForm(one, sent));
	await store.close();
});
