/* One YAML file configures every process: a section each, and `common`. A process reads `common` and its own
 * section through rows (common/base/options.h); other known sections are skipped, since their own process
 * checks them. Unknown keys, unknown sections, duplicates and bad values refuse the start with file, line,
 * value and range:
 *
 *	lamppost.yaml:12: gateway-bridge.ring_seconds: 9999: expected 1 to 600 s
 *
 * A row whose key has a dot (`mqtt.host`) is `host` in the map `mqtt` of the section.
 *
 * What wins: a default, then the file, then LAMPPOST_STATE and LAMPPOST_RUN. The file is the one of `-c`,
 * else of LAMPPOST_CONFIG, else /etc/lamppost/lamppost.yaml where that exists, else none.
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct config_common common;
 *		struct gb_config config;
 *		const struct config_program program = {"gateway-bridge", "Terminates gateways.",
 * gb_config_rows, gb_config_row_count, &config, sizeof config}; int code; if (!config_start(&program, &common, argc, argv,
 * &code)) return code;
 */
#ifndef LAMPPOST_TEXT_CONFIG_H
#define LAMPPOST_TEXT_CONFIG_H

#include "common/base/log.h"
#include "common/base/options.h"
#include "common/lorawan/types.h"

#include <stdio.h>

#define CONFIG_DEFAULT_FILE "/etc/lamppost/lamppost.yaml"
#define CONFIG_ERROR_MAX    1024
#define CONFIG_FILE_MAX     (1024 * 1024)

struct config_common {
	char state_dir[OPTION_PATH_MAX];
	char run_dir[OPTION_PATH_MAX];
	enum log_level log_level;
	char net_id[LW_NET_ID_TEXT];          /* six digits; config_net_id() reads it */
	int64_t gateway_silent_us;            /* a gateway of which nothing came for so long is silent */
	struct option_list dev_addr_prefixes; /* "26000000/7"; lw_dev_addr_prefix_parse() reads each */
};

extern const struct option config_common_rows[];
extern const size_t config_common_row_count;

struct config_program {
	const char *name;          /* the process, and its section */
	const char *summary;       /* one sentence for --help */
	const struct option *rows; /* all of section `name` */
	size_t row_count;
	void *config;       /* filled; borrowed for the call */
	size_t config_size; /* of the struct; needed for a reload (common/text/reload.h) only */
};

/* Reads text as a configuration file into `common` and the program's struct, both filled with defaults
 * before. False with a message of one line in `error`; the structs are then unspecified. `file` names it in
 * messages. */
bool config_read_text(const struct config_program *program, struct config_common *common, const char *file,
		      const char *text, size_t length, char error[CONFIG_ERROR_MAX]);
/* The same from a file; NULL means defaults only. */
bool config_read_file(const struct config_program *program, struct config_common *common, const char *file,
		      char error[CONFIG_ERROR_MAX]);
/* Writes both sections as YAML that reads back to the same values, the rows' help as comments. */
void config_print(FILE *out, const struct config_program *program, const struct config_common *common);

/* The words of that command line, for its help and its page of the manual. */
struct config_word {
	const char *term, *help; /* help: one line, no full stop */
};
extern const struct config_word config_words[];
extern const size_t config_word_count;

/* The command line of every process: -c FILE, --check-config, --print-config, --version, --help, and the
 * environment. True: go on with the filled structs. False: return `*exit_code` from main (0 done, 2 bad
 * configuration or usage). */
bool config_start(const struct config_program *program, struct config_common *common, int argc, char **argv,
		  int *exit_code);
/* Reads the file again, as config_start() found it, for a reload: fills `common` and program->config afresh.
 */
bool config_reload(const struct config_program *program, struct config_common *common, const char *file,
		   char error[CONFIG_ERROR_MAX]);
/* The file that `argv` and the environment name, or NULL: what config_start() read. */
const char *config_file_name(int argc, char **argv);

struct lw_net_id config_net_id(const struct config_common *common);

#endif
