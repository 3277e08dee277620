import {
	base64url,
	CompactEncrypt,
	calculateJwkThumbprint,
	compactDecrypt,
	createLocalJWKSet,
	EncryptJWT,
	exportJWK,
	generateKeyPair,
	jwtDecrypt,
	jwtVerify,
	SignJWT,
} from "jose";

export default {
	async fetch(): Promise<Response> {
		const told: unknown[] = [];
		for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
			const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
			const token = await new SignJWT({ role: "admin" })
				.setProtectedHeader({ alg, kid: "k" })
				.setIssuedAt(1_700_000_000)
				.setIssuer("me")
				.setExpirationTime(4_000_000_000)
				.sign(privateKey);
			const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg }] });
			const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: "me" });
			const tampered = await jwtVerify(`${token.slice(0, -8)}AAAAAAAA`, publicKey).catch(
				(error: { code: string }) => error.code,
			);
			told.push([alg, payload, protectedHeader, tampered]);
		}
		const secret = new TextEncoder().encode("a secret of thirty-two bytes, no?");
		const signed = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: "HS256" }).sign(secret);
		told.push(signed, (await jwtVerify(signed, secret)).payload);
		const expired = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setExpirationTime(1).sign(secret);
		told.push(await jwtVerify(expired, secret).catch((error: { code: string }) => error.code));
		for (const [alg, enc] of [
			["dir", "A256GCM"],
			["A256KW", "A128CBC-HS256"],
			["PBES2-HS256+A128KW", "A256GCM"],
		]) {
			const key = alg.startsWith("PBES2") ? secret : secret.slice(0, 32);
			const sealed = await new CompactEncrypt(new TextEncoder().encode("hidden"))
				.setProtectedHeader({ alg, enc })
				.encrypt(key);
			const { plaintext } = await compactDecrypt(sealed, key, { keyManagementAlgorithms: [alg] });
			told.push([alg, enc, new TextDecoder().decode(plaintext)]);
		}
		const rsa = await generateKeyPair("RSA-OAEP-256");
		const jwe = await new EncryptJWT({ s: 1 })
			.setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM" })
			.encrypt(rsa.publicKey);
		told.push((await jwtDecrypt(jwe, rsa.privateKey)).payload);
		told.push(await calculateJwkThumbprint({ kty: "oct", k: base64url.encode(secret) }));
		return Response.json(told);
	},
};
