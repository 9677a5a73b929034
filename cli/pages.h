/* Lists that come in pages: `{"items": [...], "next": CURSOR or null}`. A page may be empty and have a next one. */
#ifndef LAMPPOST_CLI_PAGES_H
#define LAMPPOST_CLI_PAGES_H

#include "cli/client.h"

/* Appends the items of every page of `target` (with its query, if any) to `items`, at most `limit`. CLI_DONE, or the code to exit
 * with, reported as about `what`. */
int cli_fetch_pages(struct cli_client *client, const char *what, const char *target, size_t limit,
		    json_t *items);

#endif
