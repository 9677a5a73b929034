#include "common/io/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What ends a program, or stops it, while echo is off: the terminal is put back first. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define SIGNALS (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t caught;

static void note(int signal)
{
	caught = signal;
}

/* A byte at a time: what stands behind the newline is somebody else's. With a mask, signals arrive while it waits and end it; between waits
 * they are blocked, so that none is missed. */
static bool read_line(int fd, const sigset_t *mask, char text[PASSPHRASE_MAX], size_t *length)
{
	size_t used = 0;
	bool good = true;
	while (good) {
		char byte;
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		if (mask && ppoll(&readable, 1, NULL, mask) < 0) {
			good = errno == EINTR && !caught;
			continue;
		}
		ssize_t got = read(fd, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || byte == '\n')
			break;
		good = used < PASSPHRASE_MAX - 1;
		if (good)
			text[used++] = byte;
	}
	if (!good) {
		explicit_bzero(text, PASSPHRASE_MAX);
		return false;
	}
	text[used] = '\0';
	*length = used;
	return used > 0;
}

bool passphrase_read(int fd, char text[PASSPHRASE_MAX], size_t *length)
{
	return read_line(fd, NULL, text, length);
}

static void say(int fd, const char *text)
{
	ssize_t written = write(fd, text, strlen(text));
	(void)written; /* a terminal that has gone is seen when it is read */
}

static bool ask_silently(int fd, const struct termios *before, const sigset_t *mask, const char *prompt,
			 char text[PASSPHRASE_MAX], size_t *length)
{
	struct termios silent = *before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	bool good = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
	if (good) {
		say(fd, prompt);
		good = read_line(fd, mask, text, length);
		say(fd, "\n");
	}
	tcsetattr(fd, TCSAFLUSH, before);
	return good;
}

/* Asks with the signals caught; `*signal` is the one that ended it, 0: none. */
static bool ask_once(int fd, const struct termios *before, const char *prompt, char text[PASSPHRASE_MAX],
		     size_t *length, int *signal)
{
	struct sigaction others[SIGNALS], ours = {.sa_handler = note};
	sigset_t blocked, mask;
	sigemptyset(&blocked);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	caught = 0;
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &others[i]);
		if (others[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &ours, NULL);
	}
	bool good = ask_silently(fd, before, &mask, prompt, text, length);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &others[i], NULL);
	*signal = caught;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return good;
}

bool passphrase_ask(const char *prompt, char text[PASSPHRASE_MAX], size_t *length)
{
	struct termios before;
	int signal = 0, fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = tcgetattr(fd, &before) == 0;
	bool again = good;
	while (again) {
		good = ask_once(fd, &before, prompt, text, length, &signal);
		/* Now it does what it would have done; whoever was stopped and goes on is asked again. */
		if (signal)
			raise(signal);
		again = signal == SIGTSTP;
	}
	close(fd);
	return good && !signal;
}
