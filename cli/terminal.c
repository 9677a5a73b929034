#include "cli/terminal.h"

#include "common/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other picture, no cursor, no wrapping at the last column; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

struct terminal {
	struct terminal_hooks hooks;
	struct io_watch *input, *signals;
};

/* What signal handlers need. */
static struct {
	volatile sig_atomic_t taken; /* the terminal is ours now */
	struct termios before, ours;
	int pipe[2]; /* handlers write a signal's number */
} state = {.pipe = {-1, -1}};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const int noted[] = {SIGWINCH, SIGTSTP, SIGCONT};

/* --- keys ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *sequence; /* behind ESC */
	int key;
} sequences[] = {
	{"[A", KEY_UP},         {"OA", KEY_UP},   {"[B", KEY_DOWN}, {"OB", KEY_DOWN},  {"[5~", KEY_PAGE_UP},
	{"[6~", KEY_PAGE_DOWN}, {"[H", KEY_HOME}, {"OH", KEY_HOME}, {"[1~", KEY_HOME}, {"[7~", KEY_HOME},
	{"[F", KEY_END},        {"OF", KEY_END},  {"[4~", KEY_END}, {"[8~", KEY_END},
};

/* How many bytes a control sequence (ECMA-48 5.4) has that begins behind ESC; 0: it begins none. */
static size_t sequence_length(const uint8_t *bytes, size_t length)
{
	if (length < 2 || (bytes[0] != '[' && bytes[0] != 'O'))
		return 0;
	size_t at = 1;
	while (bytes[0] == '[' && at < length && bytes[at] >= 0x20 && bytes[at] <= 0x3f)
		at++;
	return at < length ? at + 1 : length;
}

size_t terminal_key_read(const uint8_t *bytes, size_t length, int *key)
{
	*key = KEY_NONE;
	if (bytes[0] == 0x1b) {
		size_t more = sequence_length(bytes + 1, length - 1);
		for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
			if (strlen(sequences[i].sequence) == more &&
			    memcmp(sequences[i].sequence, bytes + 1, more) == 0)
				*key = sequences[i].key;
		if (more == 0)
			*key = KEY_ESCAPE;
		return 1 + more;
	}
	if (bytes[0] == '\r' || bytes[0] == '\n')
		*key = KEY_ENTER;
	else if (bytes[0] == 0x7f || bytes[0] == 0x08)
		*key = KEY_BACKSPACE;
	else if (bytes[0] >= 0x20 && bytes[0] < 0x7f)
		*key = bytes[0];
	return 1;
}

/* --- the terminal's state: safe in signal handlers ------------------------------------------------------------ */

static void put(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			fd_set ready;
			FD_ZERO(&ready);
			FD_SET(STDOUT_FILENO, &ready);
			(void)select(STDOUT_FILENO + 1, NULL, &ready, NULL, NULL);
			continue;
		}
		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t)written;
	}
}

static void give_back(void)
{
	if (!state.taken)
		return;
	state.taken = false;
	put(LEAVE, sizeof LEAVE - 1);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &state.before);
}

static void take(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &state.ours);
	put(ENTER, sizeof ENTER - 1);
	state.taken = true;
}

static void on_crash(int number)
{
	give_back();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void note(int number)
{
	int before = errno;
	uint8_t byte = (uint8_t)number;
	(void)!write(state.pipe[1], &byte, 1);
	errno = before;
}

static void handle(const int *numbers, size_t count, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < count; i++)
		(void)sigaction(numbers[i], &action, NULL);
}

/* --- events -------------------------------------------------------------------------------------------------- */

static void on_input(void *ctx, struct now now, bool readable, bool writable)
{
	struct terminal *terminal = ctx;
	uint8_t bytes[256];
	(void)now, (void)writable;
	if (!readable)
		return;
	ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		io_watch_set(terminal->input, false, false);
		terminal->hooks.on_gone(terminal->hooks.ctx);
		return;
	}
	for (size_t at = 0; at < (size_t)got;) {
		int key;
		at += terminal_key_read(bytes + at, (size_t)got - at, &key);
		if (key != KEY_NONE)
			terminal->hooks.on_key(terminal->hooks.ctx, key);
	}
}

/* Stops as any program does at Ctrl-Z, with the terminal as it was; goes on behind raise(). */
static void stop(void)
{
	give_back();
	(void)raise(SIGSTOP);
	take();
}

static void on_signal(void *ctx, struct now now, bool readable, bool writable)
{
	struct terminal *terminal = ctx;
	uint8_t bytes[32];
	(void)now, (void)readable, (void)writable;
	ssize_t got = read(state.pipe[0], bytes, sizeof bytes);
	for (ssize_t i = 0; i < got; i++)
		if (bytes[i] == SIGTSTP)
			stop();
	if (got > 0)
		terminal->hooks.on_change(terminal->hooks.ctx);
}

/* --- life ---------------------------------------------------------------------------------------------------- */

bool terminal_is_usable(void)
{
	const char *term = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

struct terminal *terminal_open(struct io_loop *loop, const struct terminal_hooks *hooks)
{
	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &state.before) != 0)
		return NULL;
	struct terminal *terminal = calloc(1, sizeof *terminal);
	ASSERT(terminal != NULL);
	ASSERT(pipe2(state.pipe, O_CLOEXEC | O_NONBLOCK) == 0);
	terminal->hooks = *hooks;
	state.ours = state.before;
	state.ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	state.ours.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	state.ours.c_cc[VMIN] = 1;
	state.ours.c_cc[VTIME] = 0;
	static bool registered;
	if (!registered)
		registered = atexit(give_back) == 0;
	handle(crashes, ARRAY_SIZE(crashes), on_crash);
	handle(noted, ARRAY_SIZE(noted), note);
	take();
	terminal->input = io_watch_new(loop, STDIN_FILENO, on_input, terminal);
	terminal->signals = io_watch_new(loop, state.pipe[0], on_signal, terminal);
	ASSERT(terminal->input && terminal->signals);
	io_watch_set(terminal->input, true, false);
	io_watch_set(terminal->signals, true, false);
	return terminal;
}

void terminal_close(struct terminal *terminal)
{
	if (!terminal)
		return;
	handle(crashes, ARRAY_SIZE(crashes), SIG_DFL);
	handle(noted, ARRAY_SIZE(noted), SIG_DFL);
	io_watch_free(terminal->input);
	io_watch_free(terminal->signals);
	give_back();
	close(state.pipe[0]);
	close(state.pipe[1]);
	free(terminal);
}

void terminal_size(const struct terminal *terminal, unsigned *columns, unsigned *rows)
{
	struct winsize size = {0};
	(void)terminal;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
	*columns = known ? size.ws_col : 80;
	*rows = known ? size.ws_row : 24;
}

void terminal_write(struct terminal *terminal, const char *bytes, size_t length)
{
	(void)terminal;
	put(bytes, length);
}
