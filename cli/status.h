/* `lamppost status`: asks each process's admin socket how it is. */
#ifndef LAMPPOST_CLI_STATUS_H
#define LAMPPOST_CLI_STATUS_H

int cli_status(int argc, char **argv);

#endif
