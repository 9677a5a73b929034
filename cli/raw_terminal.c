#include "cli/raw_terminal.h"

#include "common/base/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* What signal handlers need; tcsetattr() is safe in them. */
static struct {
	volatile sig_atomic_t taken, has_flags;
	int flags; /* of standard input, which a watch makes non-blocking */
	struct termios before, raw;
} state;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void raw_terminal_give_back(void)
{
	if (state.has_flags)
		(void)fcntl(STDIN_FILENO, F_SETFL, state.flags);
	if (!state.taken)
		return;
	state.taken = false;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &state.before);
}

static void take_again(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &state.raw);
	state.taken = true;
}

static void on_crash(int number)
{
	raw_terminal_give_back();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/* Stops as any program does; goes on behind raise(). */
static void on_stop(int number)
{
	(void)number;
	if (!state.taken)
		return;
	int flags = fcntl(STDIN_FILENO, F_GETFL);
	raw_terminal_give_back();
	(void)raise(SIGSTOP);
	(void)fcntl(STDIN_FILENO, F_SETFL, flags);
	take_again();
}

bool raw_terminal_take(void)
{
	static bool registered;
	struct sigaction crash = {.sa_handler = on_crash},
			 stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
	state.flags = fcntl(STDIN_FILENO, F_GETFL);
	state.has_flags = state.flags >= 0;
	if (!registered)
		registered = atexit(raw_terminal_give_back) == 0;
	if (tcgetattr(STDIN_FILENO, &state.before) != 0)
		return false;
	sigemptyset(&crash.sa_mask);
	sigemptyset(&stop.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		(void)sigaction(crashes[i], &crash, NULL);
	(void)sigaction(SIGTSTP, &stop, NULL);
	state.raw = state.before;
	cfmakeraw(&state.raw);
	take_again();
	return true;
}
