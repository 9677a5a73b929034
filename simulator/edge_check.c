/* `lamppost-sim check`: the two files, the sum, the exit code. */
#include "simulator/check.h"

#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"lamppost-sim check --report SENT.json --received RECEIVED.jsonl [--name TEXT] [--allow-loss] "
	"[--unfinished]\n"
	"    Compares what simulated devices sent (lamppost-sim run --report) with what a subscriber got\n"
	"    (lamppost-sim view --log). Exit code 0 only if nothing is lost, invented or repeated.\n"
	"    --allow-loss: readings that nobody answered may be missing (processes were killed meanwhile).\n"
	"    --unfinished: the run was ended before its time, not every sensor has joined yet.\n";

struct words {
	const char *report, *received, *name;
	struct sim_check_options options;
};

static bool read_words(struct words *words, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char **value = strcmp(argv[i], "--report") == 0     ? &words->report
				     : strcmp(argv[i], "--received") == 0 ? &words->received
				     : strcmp(argv[i], "--name") == 0     ? &words->name
									  : NULL;
		if (value && i + 1 < argc)
			*value = argv[++i];
		else if (strcmp(argv[i], "--allow-loss") == 0)
			words->options.allow_loss = true;
		else if (strcmp(argv[i], "--unfinished") == 0)
			words->options.unfinished = true;
		else
			return false;
	}
	return words->report && words->received;
}

/* One JSON object a line; what cannot be read is kept as null, so that the check complains. */
static json_t *read_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	json_t *list = json_array();
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	while ((length = getline(&line, &capacity, file)) > 0) {
		json_t *value = json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES, NULL);
		json_array_append_new(list, value ? value : json_null());
	}
	free(line);
	(void)fclose(file);
	return list;
}

int sim_check_command(int argc, char **argv)
{
	struct words words = {.name = "check"};
	if (!read_words(&words, argc, argv)) {
		fputs(usage_text, stderr);
		return 2;
	}
	json_error_t error;
	json_t *report = json_load_file(words.report, JSON_REJECT_DUPLICATES, &error);
	json_t *received = read_lines(words.received);
	if (!report)
		fprintf(stderr, "lamppost-sim: %s:%d: %s\n", words.report, error.line, error.text);
	if (!received)
		perror(words.received);
	bool holds = false;
	if (report && received) {
		struct sim_check_sum sum = {0};
		holds = sim_check(report, received, &words.options, stdout, &sum);
		if (sum.repeats > 0 || sum.acknowledged > 0)
			printf("%s: %u acknowledged, %u events of which %u again\n", words.name,
			       sum.acknowledged, sum.events, sum.repeats);
		printf("%s: %s%u of %u sensors joined, %u of %u readings delivered%s\n", words.name,
		       words.options.unfinished ? "ended early: " : "", sum.joined, sum.devices,
		       sum.delivered, sum.readings, holds ? "" : ": FAILED");
	}
	json_decref(report);
	json_decref(received);
	return holds ? 0 : 1;
}
