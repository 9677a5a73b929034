/* Who may call what. */
#include "tests/harness/harness.h"

#include "join-server/callers.h"

#include <stdio.h>
#include <string.h>

static bool find_user(const char *name, uint32_t *uid)
{
	static const struct {
		const char *name;
		uint32_t uid;
	} users[] = {{"root", 0}, {"lamppost-network", 901}, {"lamppost-application", 902}, {"903", 903}};
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (strcmp(users[i].name, name) == 0) {
			*uid = users[i].uid;
			return true;
		}
	}
	return false;
}

static void a_table_of_users(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *joins, *provisioning; /* NULL: not named */
		const char *may_join, *may_provision;
		const char *problem; /* NULL: good */
	} rows[] = {
		{"nothing named: root and our own user", NULL, NULL, "0 900", "0 900", NULL},
		{"a user each", "lamppost-network", "lamppost-application", "901", "902", NULL},
		{"joins alone named", "lamppost-network", NULL, "901", "0 900", NULL},
		{"several, by blanks and commas", "root, lamppost-network 903", NULL, "0 901 903", "0 900",
		 NULL},
		{"nobody", "", NULL, "", "0 900", NULL},
		{"a user that is not there", "nobody-here", NULL, NULL, NULL,
		 "callers.joins: no user nobody-here"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct option_map table = {0};
		const char *values[] = {rows[i].joins, rows[i].provisioning};
		for (int call = 0; call < 2; call++) {
			if (!values[call])
				continue;
			snprintf(table.entries[table.count].label, OPTION_LABEL_MAX, "%s",
				 js_call_name((enum js_call)call));
			snprintf(table.entries[table.count++].value, OPTION_PATH_MAX, "%s", values[call]);
		}
		struct js_callers callers;
		char problem[160] = "";
		bool good = js_callers_init(&callers, &table, 900, find_user, problem, sizeof problem);
		t_str("problem", rows[i].problem ? rows[i].problem : "", problem);
		const char *expected[] = {rows[i].may_join, rows[i].may_provision};
		for (int call = 0; good && call < 2; call++) {
			char may[64] = "";
			for (uint32_t uid = 0; uid < 1000; uid++)
				if (js_callers_allow(&callers, (enum js_call)call, uid))
					snprintf(may + strlen(may), sizeof may - strlen(may), "%s%u",
						 may[0] ? " " : "", (unsigned)uid);
			t_str(js_call_name((enum js_call)call), expected[call], may);
		}
	}
	t_row("a call of nobody");
	struct option_map table = {.count = 1, .entries = {{.label = "rejoins", .value = "root"}}};
	struct js_callers callers;
	char problem[160];
	t_false("good", js_callers_init(&callers, &table, 900, find_user, problem, sizeof problem));
	t_str("problem", "callers.rejoins: expected joins or provisioning or app_keys or vault", problem);
	t_row("too many users");
	snprintf(table.entries[0].label, OPTION_LABEL_MAX, "joins");
	snprintf(table.entries[0].value, OPTION_PATH_MAX,
		 "903 903 903 903 903 903 903 903 903 903 903 903 903 903 903 903 903");
	t_false("good", js_callers_init(&callers, &table, 900, find_user, problem, sizeof problem));
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_table_of_users)};
	return t_run(tests);
}
