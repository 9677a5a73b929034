/* What the command line says of a server that it does not reach. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "cli/client.h"
#include "cli/problem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit code for a user who is not root. */
static int reported(const char *socket)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(99);
		_exit(cli_not_reached("frames", socket));
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status)
										     : -1;
}

static void a_socket_that_is_not_ours_is_no_server_that_is_away(void **state)
{
	(void)state;
	char dir[T_DIR_MAX], socket[T_DIR_MAX + 16];
	t_temp_dir(dir);
	snprintf(socket, sizeof socket, "%s/city.sock", dir);
	assert_int_equal(0, chmod(dir, 0755));
	t_int("nobody there", CLI_NOT_REACHED, reported(socket));
	int fd = open(socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(0, chmod(socket, 0));
	t_int("not for this user", CLI_REFUSED, reported(socket));
	assert_int_equal(0, chmod(dir, 0));
	t_int("in a directory that is not", CLI_REFUSED, reported(socket));
	assert_int_equal(0, chmod(dir, 0700));
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_socket_that_is_not_ours_is_no_server_that_is_away)};
	return t_run(tests);
}
