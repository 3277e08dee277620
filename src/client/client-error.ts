/** Why a command did not do what it should, and how the process ends for that. */
export class ClientError extends Error {
	override name = "ClientError";
	readonly exitCode: number;

	constructor(message: string, exitCode: number) {
		super(message);
		this.exitCode = exitCode;
	}
}

/** How commands end: docs/cli.md. */
export const Exit = { usage: 1, refused: 2, unreachable: 3, notAllowed: 4 } as const;
