#include "common/io/vault_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD 3

bool vault_channel_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	int flags = fcntl(ends[0], F_GETFL);
	return flags >= 0 && fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) == 0;
}

int vault_channel_inherited(void)
{
	const char *text = getenv(VAULT_CHANNEL_VARIABLE);
	if (!text || strspn(text, "0123456789") != strlen(text) || !text[0] || strlen(text) > 4)
		return -1;
	int fd = (int)strtol(text, NULL, 10), type = 0;
	socklen_t length = sizeof type;
	bool ours = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
	return ours && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

bool vault_channel_send(int fd, enum vault_channel_kind kind, const void *bytes, size_t length)
{
	uint8_t message[HEAD + VAULT_CHANNEL_MAX];
	if (length > VAULT_CHANNEL_MAX)
		return false;
	message[0] = (uint8_t)kind;
	message[1] = (uint8_t)(length & 0xff);
	message[2] = (uint8_t)(length >> 8);
	memcpy(message + HEAD, bytes, length);
	ssize_t sent = send(fd, message, HEAD + length, MSG_NOSIGNAL | MSG_DONTWAIT);
	explicit_bzero(message, sizeof message);
	return sent == (ssize_t)(HEAD + length);
}

bool vault_channel_receive(int fd, int wait_ms, enum vault_channel_kind *kind,
			   uint8_t bytes[VAULT_CHANNEL_MAX], size_t *length)
{
	uint8_t message[HEAD + VAULT_CHANNEL_MAX];
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	if (poll(&poll_fd, 1, wait_ms) != 1)
		return false;
	ssize_t got = recv(fd, message, sizeof message, MSG_DONTWAIT);
	bool good = got >= HEAD && got - HEAD == message[1] + (message[2] << 8) &&
		    (message[0] == VAULT_CHANNEL_PASSPHRASE || message[0] == VAULT_CHANNEL_MASTER);
	if (good) {
		*kind = (enum vault_channel_kind)message[0];
		*length = (size_t)got - HEAD;
		memcpy(bytes, message + HEAD, *length);
	}
	explicit_bzero(message, sizeof message);
	return good;
}
