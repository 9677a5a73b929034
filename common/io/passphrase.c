#include "common/io/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A byte at a time: what stands behind the newline is somebody else's. */
bool passphrase_read(int fd, char text[PASSPHRASE_MAX], size_t *length)
{
	size_t used = 0;
	for (;;) {
		char byte;
		ssize_t got = read(fd, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || byte == '\n')
			break;
		if (used == PASSPHRASE_MAX - 1) {
			explicit_bzero(text, PASSPHRASE_MAX);
			return false;
		}
		text[used++] = byte;
	}
	text[used] = '\0';
	*length = used;
	return used > 0;
}

static void say(int fd, const char *text)
{
	ssize_t written = write(fd, text, strlen(text));
	(void)written; /* a terminal that has gone is seen when it is read */
}

bool passphrase_ask(const char *prompt, char text[PASSPHRASE_MAX], size_t *length)
{
	struct termios before, silent;
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (tcgetattr(fd, &before) != 0) {
		close(fd);
		return false;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	bool good = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
	if (good) {
		say(fd, prompt);
		good = passphrase_read(fd, text, length);
		say(fd, "\n");
	}
	tcsetattr(fd, TCSAFLUSH, &before);
	close(fd);
	return good;
}
