import type { Condition } from "./seccomp-program.ts";

/** A system call that a confined process may make. */
export interface Call {
	/** Its numbers; `null` where an architecture does not have it. */
	x64: number | null;
	arm64: number | null;
	when?: Condition[];
}

/** The running note's descriptor, `link/running-note.ts`. */
const NOTE = 4;
const NOTE_BYTES = 8;

/** O_ACCMODE, O_CREAT, O_TRUNC and O_TMPFILE: nothing is opened but to be read. */
const WRITES = 0o20001103;
/** Every CLONE_NEW…: no namespaces, in which more of the kernel could be reached. */
const NEW_NAMESPACES = 0x7e020080;
const CLONE_THREAD = 0x10000;
const AF_UNIX = 1;

/** FIONBIO, FIOCLEX and TCGETS: what libuv asks of a descriptor, and libc when it wonders whether one is a terminal. */
const IOCTLS = [0x5421, 0x5451, 0x5401];
/** F_GETFD, F_SETFD, F_GETFL, F_SETFL. */
const DESCRIPTOR_FLAGS = [1, 2, 3, 4];
/** F_GETLK, F_SETLK and F_SETLKW: how SQLite locks a database. */
const FILE_LOCKS = [5, 6, 7];
/** F_DUPFD and F_DUPFD_CLOEXEC. */
const DUPLICATES = [0, 1030];
/** PR_SET_NAME and PR_GET_NAME, for threads, and PR_SET_VMA, by which V8 and libc name their memory. */
const PRCTLS = [15, 16, 0x53564d41];

/** What any process of Node needs. */
const ANY: Record<string, Call> = {
	// The event loop, and what waits for a thread.
	read: { x64: 0, arm64: 63 },
	epoll_pwait: { x64: 281, arm64: 22 },
	epoll_ctl: { x64: 233, arm64: 21 },
	epoll_create1: { x64: 291, arm64: 20 },
	eventfd2: { x64: 290, arm64: 19 },
	pipe2: { x64: 293, arm64: 59 },
	poll: { x64: 7, arm64: null },
	ppoll: { x64: 271, arm64: 73 },
	futex: { x64: 202, arm64: 98 },
	restart_syscall: { x64: 219, arm64: 128 },

	// V8's heap, and code that it makes: `mprotect` to PROT_EXEC cannot be had without.
	mmap: { x64: 9, arm64: 222 },
	munmap: { x64: 11, arm64: 215 },
	mprotect: { x64: 10, arm64: 226 },
	madvise: { x64: 28, arm64: 233 },
	mremap: { x64: 25, arm64: 216 },
	brk: { x64: 12, arm64: 214 },
	membarrier: { x64: 324, arm64: 283 },

	// Clocks, and how much of them was its own.
	clock_gettime: { x64: 228, arm64: 113 },
	clock_getres: { x64: 229, arm64: 114 },
	gettimeofday: { x64: 96, arm64: 169 },
	clock_nanosleep: { x64: 230, arm64: 115 },
	nanosleep: { x64: 35, arm64: 101 },
	getrusage: { x64: 98, arm64: 165 },

	// Threads: of V8, of libuv's pool. clone3, whose flags no filter sees, is missing, for which libc takes clone.
	sched_yield: { x64: 24, arm64: 124 },
	sched_getaffinity: { x64: 204, arm64: 123 },
	sched_getparam: { x64: 143, arm64: 121 },
	sched_getscheduler: { x64: 145, arm64: 120 },
	getcpu: { x64: 309, arm64: 168 },
	set_robust_list: { x64: 273, arm64: 99 },
	set_tid_address: { x64: 218, arm64: 96 },
	rseq: { x64: 334, arm64: 293 },
	arch_prctl: { x64: 158, arm64: null },
	prctl: { x64: 157, arm64: 167, when: [{ arg: 0, oneOf: PRCTLS }] },
	exit: { x64: 60, arm64: 93 },
	exit_group: { x64: 231, arm64: 94 },

	// Signals: handlers of its own, and how V8's timers and `abort` reach a thread.
	rt_sigaction: { x64: 13, arm64: 134 },
	rt_sigprocmask: { x64: 14, arm64: 135 },
	rt_sigreturn: { x64: 15, arm64: 139 },
	sigaltstack: { x64: 131, arm64: 132 },

	// Who and where it is; what Node asks as it starts.
	getpid: { x64: 39, arm64: 172 },
	gettid: { x64: 186, arm64: 178 },
	getppid: { x64: 110, arm64: 173 },
	getuid: { x64: 102, arm64: 174 },
	geteuid: { x64: 107, arm64: 175 },
	getgid: { x64: 104, arm64: 176 },
	getegid: { x64: 108, arm64: 177 },
	capget: { x64: 125, arm64: 90 },
	uname: { x64: 63, arm64: 160 },
	sysinfo: { x64: 99, arm64: 179 },
	getrandom: { x64: 318, arm64: 278 },
	getrlimit: { x64: 97, arm64: 163 },
	// Its own limits, to read: the new ones are no pointer.
	prlimit64: {
		x64: 302,
		arm64: 261,
		when: [
			{ arg: 0, oneOf: [0] },
			{ arg: 2, atMost: 0 },
		],
	},

	// The files that it is shown, to read.
	openat: { x64: 257, arm64: 56, when: [{ arg: 2, mask: WRITES, bits: 0 }] },
	open: { x64: 2, arm64: null, when: [{ arg: 1, mask: WRITES, bits: 0 }] },
	close: { x64: 3, arm64: 57 },
	fstat: { x64: 5, arm64: 80 },
	stat: { x64: 4, arm64: null },
	lstat: { x64: 6, arm64: null },
	newfstatat: { x64: 262, arm64: 79 },
	statx: { x64: 332, arm64: 291 },
	lseek: { x64: 8, arm64: 62 },
	pread64: { x64: 17, arm64: 67 },
	readlink: { x64: 89, arm64: null },
	readlinkat: { x64: 267, arm64: 78 },
	access: { x64: 21, arm64: null },
	faccessat: { x64: 269, arm64: 48 },
	faccessat2: { x64: 439, arm64: 439 },
	getcwd: { x64: 79, arm64: 17 },
	getdents64: { x64: 217, arm64: 61 },

	// The link, which is there from the start: no socket is made, and no descriptor is sent or taken.
	ioctl: { x64: 16, arm64: 29, when: [{ arg: 1, oneOf: IOCTLS }] },
	getsockname: { x64: 51, arm64: 204 },
	getpeername: { x64: 52, arm64: 205 },
	getsockopt: { x64: 55, arm64: 209 },
	shutdown: { x64: 48, arm64: 210 },

	// The filter is there before Node is: bubblewrap becomes it. Later there is nothing else to become.
	execve: { x64: 59, arm64: 221 },
};

/**
 * A sandbox, and a process that builds: it starts threads and no process, and holds no second descriptor of its running note,
 * in which it writes eight bytes and nowhere beyond. (The note is a file in memory: written on without end it would fill the machine's.)
 */
export const SANDBOX: Record<string, Call> = {
	pwrite64: {
		x64: 18,
		arm64: 68,
		when: [
			{ arg: 0, oneOf: [NOTE] },
			{ arg: 2, atMost: NOTE_BYTES },
			{ arg: 3, atMost: 0 },
		],
	},
	write: { x64: 1, arm64: 64, when: [{ arg: 0, not: NOTE }] },
	writev: { x64: 20, arm64: 66, when: [{ arg: 0, not: NOTE }] },
	...ANY,
	clone: { x64: 56, arm64: 220, when: [{ arg: 0, mask: NEW_NAMESPACES | CLONE_THREAD, bits: CLONE_THREAD }] },
	fcntl: { x64: 72, arm64: 25, when: [{ arg: 1, oneOf: DESCRIPTOR_FLAGS }] },
	// It is the first process of its namespace.
	tgkill: { x64: 234, arm64: 131, when: [{ arg: 0, oneOf: [1] }] },
};

/** A data process: it reads and writes the files of the one folder that it is shown, and starts threads and no process. */
export const DATA: Record<string, Call> = {
	write: { x64: 1, arm64: 64 },
	writev: { x64: 20, arm64: 66 },
	...ANY,
	openat: { x64: 257, arm64: 56 },
	open: { x64: 2, arm64: null },
	pwrite64: { x64: 18, arm64: 68 },
	fsync: { x64: 74, arm64: 82 },
	fdatasync: { x64: 75, arm64: 83 },
	ftruncate: { x64: 77, arm64: 46 },
	fallocate: { x64: 285, arm64: 47 },
	fchmod: { x64: 91, arm64: 52 },
	mkdir: { x64: 83, arm64: null },
	mkdirat: { x64: 258, arm64: 34 },
	rename: { x64: 82, arm64: null },
	renameat: { x64: 264, arm64: 38 },
	renameat2: { x64: 316, arm64: 276 },
	unlink: { x64: 87, arm64: null },
	unlinkat: { x64: 263, arm64: 35 },
	clone: { x64: 56, arm64: 220, when: [{ arg: 0, mask: NEW_NAMESPACES | CLONE_THREAD, bits: CLONE_THREAD }] },
	fcntl: { x64: 72, arm64: 25, when: [{ arg: 1, oneOf: [...DESCRIPTOR_FLAGS, ...FILE_LOCKS, DUPLICATES[1]] }] },
	tgkill: { x64: 234, arm64: 131, when: [{ arg: 0, oneOf: [1] }] },
};

/** The bundler, which starts esbuild in a folder and talks to it over pairs of sockets. Both are alone in their namespace of processes. */
export const BUNDLER: Record<string, Call> = {
	write: { x64: 1, arm64: 64 },
	writev: { x64: 20, arm64: 66 },
	...ANY,
	clone: { x64: 56, arm64: 220, when: [{ arg: 0, mask: NEW_NAMESPACES, bits: 0 }] },
	fork: { x64: 57, arm64: null },
	vfork: { x64: 58, arm64: null },
	chdir: { x64: 80, arm64: 49 },
	wait4: { x64: 61, arm64: 260 },
	waitid: { x64: 247, arm64: 95 },
	kill: { x64: 62, arm64: 129 },
	tgkill: { x64: 234, arm64: 131 },
	fcntl: { x64: 72, arm64: 25, when: [{ arg: 1, oneOf: [...DESCRIPTOR_FLAGS, ...DUPLICATES] }] },
	dup: { x64: 32, arm64: 23 },
	dup2: { x64: 33, arm64: null },
	dup3: { x64: 292, arm64: 24 },
	socketpair: { x64: 53, arm64: 199, when: [{ arg: 0, oneOf: [AF_UNIX] }] },
	setsockopt: { x64: 54, arm64: 208 },
};
