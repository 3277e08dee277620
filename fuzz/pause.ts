/** Waits for what tells nobody that it has come about. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
