/** Money, in millionths of a currency's unit: whole numbers, which add up. */
export type Micros = bigint;

const MICROS = 1_000_000n;
const DECIMALS = 6;

/** `"0.30"` as micros. */
export function microsOf(amount: string): Micros {
	const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(amount) as RegExpExecArray;
	const micros = BigInt(whole) * MICROS + BigInt(fraction.padEnd(DECIMALS, "0"));
	return sign === "-" ? -micros : micros;
}

/** Micros as a decimal, with two places or as many as it needs. */
export function amountOf(micros: Micros): string {
	const size = micros < 0n ? -micros : micros;
	const fraction = String(size % MICROS)
		.padStart(DECIMALS, "0")
		.replace(/0{1,4}$/, "");
	return `${micros < 0n ? "-" : ""}${size / MICROS}.${fraction}`;
}
