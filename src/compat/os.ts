/** `node:os`: of the machine a function learns nothing but that it is one like Linux. */
import { constants } from "unenv/node/os";

export const EOL = "\n";
export const devNull = "/dev/null";
export const arch = (): string => "";
export const availableParallelism = (): number => navigator.hardwareConcurrency;
export const cpus = (): object[] => [];
export const endianness = (): "LE" => "LE";
export const freemem = (): number => 0;
export const homedir = (): string => "/";
export const hostname = (): string => "localhost";
export const loadavg = (): number[] => [0, 0, 0];
export const machine = (): string => "";
export const networkInterfaces = (): Record<string, object[]> => ({});
export const platform = (): "linux" => "linux";
export const release = (): string => "";
export const tmpdir = (): string => "/tmp";
export const totalmem = (): number => 0;
export const type = (): string => "Linux";
export const uptime = (): number => Math.floor(performance.now() / 1000);
export const userInfo = () => ({ uid: -1, gid: -1, username: "", homedir: "/", shell: null });
export const version = (): string => "";

export { constants };
export default {
	arch,
	availableParallelism,
	constants,
	cpus,
	devNull,
	EOL,
	endianness,
	freemem,
	homedir,
	hostname,
	loadavg,
	machine,
	networkInterfaces,
	platform,
	release,
	tmpdir,
	totalmem,
	type,
	uptime,
	userInfo,
	version,
};
