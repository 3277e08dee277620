import { dirname, join } from "node:path";

export interface Import {
	/** From src/. */
	path: string;
	/** Nothing of it is left at run time. */
	typeOnly: boolean;
}

/** The sources by their paths from src/, with the rules that they are to keep. */
export interface House {
	files: ReadonlyMap<string, string>;
	/** Which process a file's code runs in, by the file or a folder around it; the longest such path decides. */
	processOf: Record<string, string>;
	/** Whose code a process loads, by the process. */
	mayLoad: Record<string, readonly string[]>;
	/**
	 * The rooms that a room imports from, each with the reason. A room is a folder of src/, or a file in it without
	 * its ending.
	 */
	rooms: Record<string, Record<string, string>>;
	/** Imports through a wall that are meant, as `importer → imported`, each with the reason. */
	doors: Record<string, string>;
}

const FORMS = [
	// import … from, export … from
	/^[\t ]*(?:import|export)\s+(?<type>type\s)?[^"';]*?\bfrom\s*"(?<path>\.[^"]*)"/gm,
	// import "./file.ts"
	/^[\t ]*import\s*"(?<path>\.[^"]*)"/gm,
	// import("./file.ts"), where `typeof` or what stands after it makes it a type
	/(?<type>\btypeof\s+)?\bimport\s*\(\s*["'`](?<path>\.[^"'`]*)["'`]/g,
	/\brequire\s*\(\s*["'`](?<path>\.[^"'`]*)["'`]/g,
];

/** What a file imports of src/, in whichever form; comments import nothing. */
export function importsOf(file: string, text: string): Import[] {
	const code = text.replace(/^[\t ]*(?:\/\/|\/\*\*|\*).*$/gm, "");
	return FORMS.flatMap((form) => [...code.matchAll(form)]).map(({ groups }) => ({
		path: join(dirname(file), (groups as { path: string }).path),
		typeOnly: groups?.type !== undefined,
	}));
}

export const roomOf = (file: string) =>
	file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, "");

/**
 * The process that a file's code runs in. In a binding's folder the name of its parts tells, a file's or a folder's.
 */
export function processOf(file: string, table: Record<string, string>): string | undefined {
	const part = /^bindings\/[^/]+\/(edge|isolate|sandbox|schema|store)[./]/.exec(file)?.[1];
	if (part !== undefined)
		return { edge: "edge", isolate: "isolate", sandbox: "sandbox", schema: "both ends", store: "data" }[part];
	const paths = Object.keys(table).filter((path) => file === path || file.startsWith(`${path}/`));
	return table[paths.sort((a, b) => b.length - a.length)[0]];
}

/** Each import that breaks a rule, and each rule that no import needs, as a line of text. */
export function broken(house: House): string[] {
	const problems: string[] = [];
	const unused = new Set(
		Object.entries(house.rooms).flatMap(([room, may]) => Object.keys(may).map((to) => `${room} → ${to}`)),
	);
	const shut = new Set(Object.keys(house.doors));
	for (const [file, text] of house.files) {
		const from = processOf(file, house.processOf);
		if (from === undefined) problems.push(`${file}: nothing says which process it runs in`);
		for (const { path, typeOnly } of importsOf(file, text)) {
			const step = `${file} → ${path}`;
			const [room, other] = [roomOf(file), roomOf(path)];
			unused.delete(`${room} → ${other}`);
			if (!house.files.has(path)) problems.push(`${step}: there is no such file in src/`);
			else if (room !== other && house.rooms[room]?.[other] === undefined) problems.push(`${step}: rooms`);
			if (typeOnly && room === other) continue; // A room's words are all of its processes'.
			const to = processOf(path, house.processOf);
			if (shut.delete(step) || from === undefined || to === undefined) continue;
			if (!house.mayLoad[from].includes(to)) problems.push(`${step}: through the wall from ${from} to ${to}`);
		}
	}
	for (const rule of unused) problems.push(`${rule}: no import needs this`);
	for (const door of shut) problems.push(`${door}: no import needs this door`);
	return problems;
}

/** The first circle in which files load one another, as their paths; `null` where there is none. */
export function circle(files: ReadonlyMap<string, string>): string[] | null {
	const done = new Set<string>();
	const visit = (file: string, path: string[]): string[] | null => {
		if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
		if (done.has(file)) return null;
		for (const next of importsOf(file, files.get(file) ?? "")) {
			const found = next.typeOnly ? null : visit(next.path, [...path, file]);
			if (found !== null) return found;
		}
		done.add(file);
		return null;
	};
	for (const file of files.keys()) {
		const found = visit(file, []);
		if (found !== null) return found;
	}
	return null;
}
