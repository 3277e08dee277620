/** A text that may hold stack frames of a bundled script. */
export interface StackRequest {
	filename: string;
	text: string;
}

/** The same with its frames pointing into the source, and the line of source at which the first of them points. */
export interface MappedStack {
	text: string;
	excerpt: { file: string; line: number; text: string } | null;
}
