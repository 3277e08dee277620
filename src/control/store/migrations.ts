/**
 * How the database has come to its present form, step by step: each is done once, in order, in one transaction with the
 * number that says so. What stands here is never changed, only added to.
 */
export const MIGRATIONS: readonly string[] = [
	`
	CREATE TABLE documents (
		kind TEXT NOT NULL,
		key TEXT NOT NULL,
		revision INTEGER NOT NULL,
		value TEXT, -- JSON; NULL where it was removed, for those who follow
		PRIMARY KEY (kind, key)
	) WITHOUT ROWID;
	CREATE INDEX documents_by_revision ON documents (revision);
	CREATE TABLE commits (
		sequence INTEGER PRIMARY KEY,
		time TEXT NOT NULL,
		actor TEXT NOT NULL,
		action TEXT NOT NULL,
		target TEXT NOT NULL
	);
	CREATE TABLE horizon (removed_before INTEGER NOT NULL);
	INSERT INTO horizon VALUES (0);
	`,
	`
	UPDATE documents SET value = json_set(value, '$.provisioned', 0, '$.maxInstances', json('null'))
	WHERE kind = 'function' AND value IS NOT NULL;
	`,
	`
	UPDATE documents SET value = json_set(value, '$.keep', json('{}')) WHERE kind = 'function' AND value IS NOT NULL;
	`,
	`
	UPDATE documents SET value = json_set(value, '$.consumers', json('[]')) WHERE kind = 'function' AND value IS NOT NULL;
	`,
	`
	UPDATE documents SET value = json_set(value, '$.pull', json('null'), '$.paused', json('false'))
	WHERE kind = 'queue' AND value IS NOT NULL;
	UPDATE documents SET value = json_set(value, '$.storage', json('[]')) WHERE kind = 'function' AND value IS NOT NULL;
	`,
];
