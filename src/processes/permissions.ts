/** Gives up, in a confined process that has loaded all it needs, what it needed for loading. */
export function dropPermissions(): void {
	const permission = process.permission as (typeof process.permission & { drop?: (scope: string) => void }) | undefined;
	if (permission?.drop === undefined) return;
	permission.drop("fs.read");
	permission.drop("addon");
}
