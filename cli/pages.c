#include "cli/pages.h"

#include "cli/problem.h"

#include <stdio.h>

int cli_fetch_pages(struct cli_client *client, const char *what, const char *target, size_t limit,
		    json_t *items)
{
	char after[CLI_TARGET_MAX] = "";
	do {
		char page[CLI_TARGET_MAX];
		json_t *answer = NULL, *item;
		size_t i;
		snprintf(page, sizeof page, "%s", target);
		if (after[0] && !cli_target_append_query(page, "after", after))
			return cli_problem(CLI_FAILED, what, NULL, "the server's cursor is too long");
		int exit_code = cli_call(client, what, IO_HTTP_GET, page, NULL, &answer);
		if (exit_code != CLI_DONE)
			return exit_code;
		json_array_foreach(json_object_get(answer, "items"), i, item)
		{
			if (json_array_size(items) < limit)
				json_array_append(items, item);
		}
		const char *next = json_string_value(json_object_get(answer, "next"));
		snprintf(after, sizeof after, "%s", next ? next : "");
		json_decref(answer);
	} while (after[0] && json_array_size(items) < limit);
	return CLI_DONE;
}
