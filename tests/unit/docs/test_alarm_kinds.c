/* Every kind of alarm has its line in docs/alarms.md, with who it is about and its severities. Runs from the repository's root. */
#include "application-server/alarms/kinds.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char page[65536];

static void every_kind_has_its_line(void **state)
{
	(void)state;
	FILE *in = fopen("docs/alarms.md", "re");
	assert_non_null(in);
	size_t length = fread(page, 1, sizeof page - 1, in);
	fclose(in);
	page[length] = '\0';
	for (int i = 0; i < AS_ALARM_KINDS; i++) {
		const struct as_alarm_kind *kind = &as_alarm_kinds[i];
		char begin[120], line[400] = "";
		t_row(kind->name);
		snprintf(begin, sizeof begin, "| `%s` | %s | %s", kind->name,
			 as_subject_type_name(kind->subject), as_severity_name(kind->severity));
		const char *at = strstr(page, begin);
		if (!t_true("line", at != NULL))
			continue;
		snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
		const int64_t steps[] = {kind->warning, kind->critical};
		for (size_t s = 0; s < 2; s++) {
			char word[60];
			if (steps[s] == AS_NEVER || steps[s] == -AS_NEVER)
				continue;
			snprintf(word, sizeof word, "%s at %lld",
				 as_severity_name(s ? AS_CRITICAL : AS_WARNING), (long long)steps[s]);
			t_true(word, strstr(line, word) != NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(every_kind_has_its_line)};
	return t_run(tests);
}
