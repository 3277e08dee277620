import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Sealer } from "../../src/control/secrets.ts";
import { temporaryFolder } from "../support/runtime.ts";

test("the key is made once, for its user alone, and leaves nothing beside it", () => {
	const folder = temporaryFolder();
	const sealed = Sealer.open(folder, undefined).seal("secret", "default/shop/KEY");
	assert.deepEqual(readdirSync(folder), ["secrets.key"]);
	assert.equal(statSync(join(folder, "secrets.key")).mode & 0o777, 0o600);
	assert.equal(Sealer.open(folder, undefined).unseal(sealed, "default/shop/KEY"), "secret");
	assert.throws(() => Sealer.open(folder, undefined).unseal(sealed, "default/other/KEY"), /another key/);
});

test("a key that is none, and one that cannot be read, are told as such", () => {
	for (const spoil of [(path: string) => writeFileSync(path, ""), (path: string) => mkdirSync(path)]) {
		const folder = temporaryFolder();
		spoil(join(folder, "secrets.key"));
		assert.throws(() => Sealer.open(folder, undefined), { name: "UsageError", message: /key for secrets/ });
	}
	assert.throws(() => Sealer.open(temporaryFolder(), "abc"), /ATOLL_SECRETS_KEY must be 64 hexadecimal digits/);
});
