/* The `lamppost` command. What may be typed: commands.c. */
#include "cli/command.h"
#include "cli/input.h"

#include <signal.h>

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	cli_json_wipes();
	return cli_command_line(argc, argv);
}
