/*
 * What native code in a sandbox's process tries on the machine. Every attack is told on descriptor 3 as "name errno", 0 where it went
 * through. `attacks wait` only says that it runs, and waits to be attacked.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

static void tell(const char *name, long result) {
	int error = result < 0 ? errno : 0;
	char line[200];
	int length = snprintf(line, sizeof line, "%s %d\n", name, error);
	if (write(3, line, length) < 0) _exit(9);
}

static int reading(const char *path) { return open(path, O_RDONLY); }

static int listing(const char *path) { return opendir(path) == NULL ? -1 : 0; }

static int unix_socket(const char *name, int abstract) {
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0) return -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strncpy(address.sun_path + abstract, name, sizeof address.sun_path - 2);
	return connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name));
}

static int tcp_socket(int port) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0) return -1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static int writing(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	return fd < 0 ? -1 : write(fd, "x", 1);
}

static int memory_of(int pid) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	return open(path, O_RDONLY);
}

static long reading_memory_of(int pid) {
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)tell, 1};
	return syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0);
}

static int child(void) {
	int pid = fork();
	if (pid == 0) _exit(0);
	if (pid > 0) waitpid(pid, NULL, 0);
	return pid;
}

static long clone_into(unsigned long flags) {
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) _exit(0);
	return pid;
}

/* Beyond its eight bytes, by every way to write. */
static int growing_the_note(void) {
	char bytes[4096] = {0};
	struct iovec one = {bytes, sizeof bytes};
	if (lseek(4, 0, SEEK_END) >= 0 && write(4, bytes, sizeof bytes) > 0) return 0;
	if (writev(4, &one, 1) > 0 || pwrite(4, bytes, sizeof bytes, 0) > 8 || pwrite(4, bytes, 8, 1 << 20) > 0) return 0;
	if (pwritev(4, &one, 1, 4096) > 0 || ftruncate(4, 1 << 20) == 0 || fallocate(4, 0, 0, 1 << 20) == 0) return 0;
	int twin = dup(4);
	if (twin >= 0 || (twin = fcntl(4, F_DUPFD, 10)) >= 0) return write(twin, bytes, sizeof bytes) > 0 ? 0 : -1;
	return -1;
}

static long x32(void) {
#ifdef __x86_64__
	return syscall(0x40000000 + SYS_getpid);
#else
	errno = ENOSYS;
	return -1;
#endif
}

int main(int count, char **arguments) {
	char byte;
	if (count < 2 || read(3, &byte, 1) != 1) return 2; /* Whoever has it launched holds the link from now on. */
	if (strcmp(arguments[1], "wait") == 0) {
		tell("waiting", 0);
		for (;;) pause();
	}
	if (strcmp(arguments[1], "x32") == 0) {
		tell("x32", x32());
		return 0;
	}
	if (count < 7) return 2;
	const char *path_socket = arguments[2], *abstract_socket = arguments[3], *secret = arguments[6];
	int port = atoi(arguments[4]), sibling = atoi(arguments[5]);

	tell("read /etc/shadow", reading("/etc/shadow"));
	tell("read /etc/passwd", reading("/etc/passwd"));
	tell("read a secret of root's", reading(secret));
	tell("list /root", listing("/root"));
	tell("list /home", listing("/home"));
	tell("list /proc", listing("/proc"));
	tell("open /dev/null", reading("/dev/null"));
	tell("connect to a Unix socket by its path", unix_socket(path_socket, 0));
	tell("connect to an abstract Unix socket", unix_socket(abstract_socket, 1));
	tell("connect to a port of the machine", tcp_socket(port));
	tell("see a sibling", kill(sibling, 0));
	tell("kill a sibling", kill(sibling, SIGTERM));
	tell("trace a sibling", ptrace(PTRACE_ATTACH, sibling, 0, 0));
	tell("open a sibling's memory", memory_of(sibling));
	tell("read a sibling's memory", reading_memory_of(sibling));
	tell("hold a sibling by a descriptor", syscall(SYS_pidfd_open, sibling, 0));
	tell("write to /tmp", writing("/tmp/atoll-attack"));
	tell("write to /", writing("/atoll-attack"));
	tell("write to its own program", open(arguments[0], O_WRONLY));
	tell("write to memory as a file", syscall(SYS_memfd_create, "x", 0));
	tell("grow the note", growing_the_note());
	tell("make a socket", socket(AF_INET, SOCK_DGRAM, 0));
	tell("make a netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
	tell("fork", child());
	tell("vfork by clone3", syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS ? -1 : 0);
	tell("clone into a user namespace", clone_into(CLONE_NEWUSER));
	tell("unshare a user namespace", unshare(CLONE_NEWUSER));
	tell("unshare a network namespace", unshare(CLONE_NEWNET));
	tell("enter a namespace", syscall(SYS_setns, 3, 0) < 0 && errno == ENOSYS ? -1 : 0);
	tell("mount", mount("none", "/", "tmpfs", 0, NULL));
	tell("change the root", chroot("/"));
	tell("set up io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS ? -1 : 0);
	tell("load BPF", syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == ENOSYS ? -1 : 0);
	tell("handle page faults", syscall(SYS_userfaultfd, 1));
	tell("count performance", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) < 0 && errno == ENOSYS ? -1 : 0);
	tell("use keys", syscall(SYS_keyctl, 0, -4, 1));
	tell("open by a handle", syscall(SYS_open_by_handle_at, 0, NULL, 0) < 0 && errno == ENOSYS ? -1 : 0);
	tell("type into a terminal", ioctl(0, TIOCSTI, "x") < 0 && errno == EPERM ? -1 : 0);
	tell("be root", setuid(0));
	return read(3, &byte, 1) == 0 ? 0 : 3;
}
