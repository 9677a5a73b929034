/* Streams of city.sock: how many one caller may hold open. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "application-server/api/events.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Opens a stream and returns its socket once the first byte of the answer is there; `*code` is the status. */
static int open_stream(int *code)
{
	static const char request[] = "GET /api/v1/events HTTP/1.1\r\nHost: lamppost\r\n\r\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char head[512] = "";
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_server.socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(sizeof request - 1, write(fd, request, sizeof request - 1));
	assert_true(read(fd, head, sizeof head - 1) > 0);
	assert_int_equal(1, sscanf(head, "HTTP/1.1 %d", code));
	return fd;
}

/* One caller's streams end at its share; calls go on, and a stream that is closed makes room. */
static void streams_end_at_the_callers_share(void **state)
{
	(void)state;
	int fds[AS_STREAMS_OF_CITY], code;
	t_server_open(0, false, "", "");
	for (size_t i = 0; i < AS_STREAMS_OF_CITY; i++) {
		fds[i] = open_stream(&code);
		t_int("opens", 200, code);
	}
	int refused = open_stream(&code);
	t_int("one too many", 503, code);
	close(refused);
	t_int("a call", 200, t_server_get("/api/v1/agencies"));
	for (size_t i = 0; i < AS_STREAMS_OF_CITY; i++)
		close(fds[i]);
	do {
		refused = open_stream(&code); /* until the server has seen that they are gone */
		close(refused);
	} while (code == 503);
	t_int("room again", 200, code);
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(streams_end_at_the_callers_share)};
	return t_run(tests);
}
