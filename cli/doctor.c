#include "cli/doctor.h"

#include "cli/colour.h"
#include "cli/doctor_judge.h"
#include "cli/doctor_look.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/wrap.h"
#include "common/base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERDICT_COLUMN 9
#define CHECK_COLUMN   15
#define NARROW         64 /* columns; below, sentences stand beneath the check's name */

static enum colour colour_of(enum doctor_verdict verdict)
{
	static const enum colour colours[DOCTOR_VERDICT_COUNT] = {[DOCTOR_OK] = COLOUR_GOOD,
								  [DOCTOR_WARN] = COLOUR_WARNING,
								  [DOCTOR_BAD] = COLOUR_BAD,
								  [DOCTOR_SKIPPED] = COLOUR_DIM};
	return colours[verdict];
}

static void print_finding(const struct doctor_finding *finding, size_t width)
{
	char text[DOCTOR_TEXT_MAX];
	const bool narrow = width && width < NARROW;
	const size_t indent = narrow ? 4 : VERDICT_COLUMN + CHECK_COLUMN;
	const char *verdict = doctor_verdict_name(finding->outcome->verdict);
	colour_print(stdout, colour_of(finding->outcome->verdict), verdict);
	printf("%*s%-*s", VERDICT_COLUMN - (int)strlen(verdict), "", CHECK_COLUMN,
	       doctor_checks[finding->check].name);
	if (narrow)
		printf("\n%*s", (int)indent, "");
	doctor_sentence(finding, text);
	wrap_print(stdout, text, width, indent, indent);
	doctor_next(finding, text);
	if (text[0]) {
		printf("%*s", (int)indent, "");
		colour_print(stdout, COLOUR_STRONG, "Try: ");
		wrap_print(stdout, text, width, indent + 5, indent + 5);
	}
}

static void print_people(const struct doctor_findings *findings)
{
	size_t width = terminal_width();
	for (size_t i = 0; i < findings->count; i++)
		print_finding(&findings->rows[i], width);
	printf("\n%zu ok, %zu to look at, %zu bad, %zu skipped\n", doctor_count(findings, DOCTOR_OK),
	       doctor_count(findings, DOCTOR_WARN), doctor_count(findings, DOCTOR_BAD),
	       doctor_count(findings, DOCTOR_SKIPPED));
}

static void print_json(const struct doctor_findings *findings)
{
	json_t *document = json_object(), *list = json_array();
	for (int verdict = 0; verdict < DOCTOR_VERDICT_COUNT; verdict++)
		json_object_set_new(
			document, doctor_verdict_name((enum doctor_verdict)verdict),
			json_integer((json_int_t)doctor_count(findings, (enum doctor_verdict)verdict)));
	for (size_t i = 0; i < findings->count; i++) {
		const struct doctor_finding *finding = &findings->rows[i];
		char sentence[DOCTOR_TEXT_MAX], next[DOCTOR_TEXT_MAX];
		doctor_sentence(finding, sentence);
		doctor_next(finding, next);
		json_array_append_new(list, json_pack("{ss ss ss ss ss ss}", "check",
						      doctor_checks[finding->check].name, "verdict",
						      doctor_verdict_name(finding->outcome->verdict),
						      "finding", finding->outcome->name, "about",
						      finding->subject, "sentence", sentence, "next", next));
	}
	json_object_set_new(document, "findings", list);
	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

static int run(const struct cli_arguments *arguments)
{
	struct doctor_facts *facts = calloc(1, sizeof *facts);
	struct doctor_findings *findings = calloc(1, sizeof *findings);
	ASSERT(facts && findings);
	int code = cli_place_find_anyway(&facts->place, "doctor", cli_argument(arguments, "state"),
					 cli_argument(arguments, "config"));
	if (code == CLI_DONE) {
		facts->deep = cli_argument(arguments, "deep") != NULL;
		struct progress_wheel *wheel = progress_wheel_start(
			facts->deep ? "looking, and reading the databases" : "looking");
		doctor_look(facts);
		progress_wheel_end(wheel);
		doctor_judge(facts, findings);
		(arguments->json ? print_json : print_people)(findings);
		code = doctor_count(findings, DOCTOR_BAD) > 0 ? CLI_FAILED : CLI_DONE;
	}
	free(facts);
	free(findings);
	return code;
}

static const struct cli_option options[] = {
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
	{"deep", NULL, "read the databases through as well, which takes a minute for each gigabyte"},
};

const struct cli_command cli_doctor_commands[] = {
	{.group = "doctor",
	 .summary = "machine, files, clock, disk, sockets, broker: what is wrong, and what to do",
	 .description =
		 "Looks at the machine and at what runs on it, and says of each thing whether it is ok, "
		 "worth a "
		 "look, or bad, with its numbers and one line on what to do. Nothing is changed. As root it "
		 "sees all; as another user it skips what it may not read, and says so. Lamppost need not "
		 "run.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost doctor\n"
		     "sudo lamppost doctor --deep\n"
		     "lamppost doctor --json | jq '.findings[] | select(.verdict == \"bad\")'\n",
	 .exits = "0 nothing is bad\n1 something is\n",
	 .local = true,
	 .run = run},
};
const size_t cli_doctor_command_count = ARRAY_SIZE(cli_doctor_commands);
