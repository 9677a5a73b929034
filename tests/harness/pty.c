#include "tests/harness/pty.h"

#include "tests/harness/process.h"

#include "common/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const struct t_pty *pty, const char *path, const char *program, const char *const *arguments,
		const char *const *variables)
{
	char *words[T_ARGUMENTS + 2] = {(char *)(uintptr_t)program};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	ioctl(pty->slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		dup2(pty->slave, fd);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	for (size_t i = 0; variables[i]; i++)
		putenv((char *)(uintptr_t)variables[i]);
	for (size_t i = 0; i < T_ARGUMENTS && arguments[i]; i++)
		words[i + 1] = (char *)(uintptr_t)arguments[i];
	execv(path, words);
	_exit(127);
}

void t_pty_start(struct t_pty *pty, unsigned columns, unsigned rows, const char *program,
		 const char *const *arguments, const char *const *variables)
{
	char path[512];
	const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
	memset(pty, 0, sizeof *pty);
	t_program_path(path, sizeof path, program);
	ASSERT(openpty(&pty->master, &pty->slave, NULL, NULL, &size) == 0);
	ASSERT(fcntl(pty->master, F_SETFL, O_NONBLOCK) == 0);
	ASSERT(fcntl(pty->master, F_SETFD, FD_CLOEXEC) == 0 && fcntl(pty->slave, F_SETFD, FD_CLOEXEC) == 0);
	ASSERT(tcgetattr(pty->slave, &pty->before) == 0);
	t_vt_init(&pty->vt, columns, rows);
	pty->pid = fork();
	ASSERT(pty->pid >= 0);
	if (pty->pid == 0)
		run(pty, path, program, arguments, variables);
}

static void read_all(struct t_pty *pty)
{
	char bytes[8192];
	ssize_t got;
	while ((got = read(pty->master, bytes, sizeof bytes)) > 0)
		t_vt_write(&pty->vt, bytes, (size_t)got);
}

void t_pty_pump(struct t_pty *pty)
{
	int status;
	read_all(pty);
	if (pty->over || waitpid(pty->pid, &status, WNOHANG) != pty->pid)
		return;
	pty->over = true;
	pty->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	read_all(pty);
}

void t_pty_type(struct t_pty *pty, const char *keys)
{
	ASSERT(write(pty->master, keys, strlen(keys)) == (ssize_t)strlen(keys));
}

void t_pty_resize(struct t_pty *pty, unsigned columns, unsigned rows)
{
	const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
	read_all(pty);
	t_vt_init(&pty->vt, columns, rows);
	pty->vt.other_picture = pty->vt.cursor_hidden = true;
	ASSERT(ioctl(pty->slave, TIOCSWINSZ, &size) == 0);
}

bool t_pty_is_as_before(struct t_pty *pty)
{
	struct termios present;
	read_all(pty);
	return tcgetattr(pty->slave, &present) == 0 && present.c_lflag == pty->before.c_lflag &&
	       present.c_iflag == pty->before.c_iflag && present.c_oflag == pty->before.c_oflag &&
	       !pty->vt.other_picture && !pty->vt.cursor_hidden;
}

bool t_pty_is_stopped(struct t_pty *pty)
{
	siginfo_t info = {0};
	read_all(pty);
	return waitid(P_PID, (id_t)pty->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pty->pid;
}

void t_pty_close(struct t_pty *pty)
{
	if (!pty->over) {
		kill(pty->pid, SIGKILL);
		waitpid(pty->pid, NULL, 0);
	}
	close(pty->master);
	close(pty->slave);
}
