/* The command line and the environment of every process. */
#include "common/text/config.h"

#include "common/base/check.h"
#include "common/text/manual.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code { EXIT_DONE = 0, EXIT_USAGE = 2 };

struct command_line {
	const char *file;
	bool check;
	bool print;
	bool version;
	bool help;
	bool manual,
		manual_section; /* for `make man`: the page of the process, its part of lamppost.yaml(5) */
	const char *unknown;
};

static struct command_line read_command_line(int argc, char **argv)
{
	struct command_line line = {0};
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (strcmp(word, "-c") == 0 && i + 1 < argc)
			line.file = argv[++i];
		else if (strcmp(word, "--check-config") == 0)
			line.check = true;
		else if (strcmp(word, "--print-config") == 0)
			line.print = true;
		else if (strcmp(word, "--print-manual") == 0)
			line.manual = true;
		else if (strcmp(word, "--print-manual-section") == 0)
			line.manual_section = true;
		else if (strcmp(word, "--version") == 0)
			line.version = true;
		else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			line.help = true;
		else
			line.unknown = word;
	}
	return line;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] != '\0' ? value : NULL;
}

static const char *choose_file(const struct command_line *line)
{
	if (line->file)
		return line->file;
	const char *named = environment("LAMPPOST_CONFIG");
	if (named)
		return named;
	return access(CONFIG_DEFAULT_FILE, F_OK) == 0 ? CONFIG_DEFAULT_FILE : NULL;
}

const char *config_file_name(int argc, char **argv)
{
	struct command_line line = read_command_line(argc, argv);
	return choose_file(&line);
}

static bool apply_environment(struct config_common *common, char error[CONFIG_ERROR_MAX])
{
	static const struct {
		const char *variable;
		const char *key;
	} rows[] = {{"LAMPPOST_STATE", "state_dir"}, {"LAMPPOST_RUN", "run_dir"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = environment(rows[i].variable);
		if (!value)
			continue;
		char expect[OPTION_EXPECT_MAX];
		const struct option *row = options_find(config_common_rows, config_common_row_count, "common",
							rows[i].key);
		ASSERT(row != NULL);
		if (!option_set(row, common, value, expect)) {
			snprintf(error, CONFIG_ERROR_MAX, "%s: %s", rows[i].variable, expect);
			return false;
		}
	}
	return true;
}

bool config_reload(const struct config_program *program, struct config_common *common, const char *file,
		   char error[CONFIG_ERROR_MAX])
{
	return config_read_file(program, common, file, error) && apply_environment(common, error);
}

const struct config_word config_words[] = {
	{"-c FILE", "read this configuration (else LAMPPOST_CONFIG, else " CONFIG_DEFAULT_FILE ")"},
	{"--check-config", "say whether the configuration can be used, and end"},
	{"--print-config", "print what is in force, defaults included, and end"},
	{"--version", "print the version, and end"},
	{"--help", "print this, and end"},
};
const size_t config_word_count = ARRAY_SIZE(config_words);

static void print_help(const struct config_program *program)
{
	printf("%s: %s\n\n"
	       "Usage: %s [-c FILE] [--check-config | --print-config | --version | --help]\n\n",
	       program->name, program->summary, program->name);
	for (size_t i = 0; i < config_word_count; i++)
		printf("  %-15s %s\n", config_words[i].term, config_words[i].help);
	printf("\nEnvironment: LAMPPOST_CONFIG, LAMPPOST_STATE (state_dir), LAMPPOST_RUN (run_dir).\n");
}

bool config_start(const struct config_program *program, struct config_common *common, int argc, char **argv,
		  int *exit_code)
{
	struct command_line line = read_command_line(argc, argv);
	char error[CONFIG_ERROR_MAX];
	*exit_code = EXIT_DONE;
	if (line.unknown) {
		fprintf(stderr, "%s: %s: no such option. Try: %s --help.\n", program->name, line.unknown,
			program->name);
		*exit_code = EXIT_USAGE;
		return false;
	}
	if (line.help) {
		print_help(program);
		return false;
	}
	if (line.manual || line.manual_section) {
		if (line.manual)
			manual_program(stdout, program);
		else
			manual_options(stdout, program->rows, program->row_count);
		return false;
	}
	if (line.version) {
		printf("%s %s\n", program->name, LAMPPOST_VERSION);
		return false;
	}
	const char *file = choose_file(&line);
	if (!config_reload(program, common, file, error)) {
		fprintf(stderr, "%s: configuration refused: %s\n", program->name, error);
		*exit_code = EXIT_USAGE; /* `lamppost up` then does not try again */
		return false;
	}
	if (line.print)
		config_print(stdout, program, common);
	else if (line.check)
		printf("%s: %s: good\n", program->name, file ? file : "defaults");
	return !line.print && !line.check;
}
