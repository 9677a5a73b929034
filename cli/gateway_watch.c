/* All gateways on a live screen, or as lines again and again. The list is asked for every two seconds and sorted by trouble; the
 * row that was chosen stays chosen by its EUI, wherever it moves. */
#include "cli/gateway_health.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "common/base/check.h"
#include "common/io/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGAIN      (2 * US_PER_S)
#define DRAW_EVERY (100 * US_PER_MS)
#define PATIENCE   (2 * US_PER_S)
#define HEAD_ROWS  3

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));
	return text ? text : "";
}

/* --- lines */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static int print_again(const struct cli_arguments *arguments, unsigned long left)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	struct cli_client *client = cli_client_new(arguments);
	int code = CLI_INTERRUPTED;
	(void)sigaction(SIGINT, &action, NULL);
	while (!interrupted) {
		json_t *items = cli_gateways_ask(client, arguments);
		if (!items) {
			code = cli_not_reached("gateways", cli_client_socket(client));
			break;
		}
		if (arguments->json) {
			json_dumpf(items, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
			putchar('\n');
		} else {
			cli_gateways_print(items);
		}
		fflush(stdout);
		json_decref(items);
		if (left && --left == 0) {
			code = CLI_DONE;
			break;
		}
		(void)nanosleep(&(struct timespec){.tv_sec = AGAIN / US_PER_S}, NULL);
	}
	cli_client_free(client);
	return code;
}

/* --- the screen */

struct watch {
	const struct cli_arguments *arguments;
	struct cli_client *client;
	struct io_loop *loop;
	struct terminal *terminal;
	struct io_timer *timer;
	struct screen screen;
	json_t *items; /* owned; NULL: nobody answers */
	json_t *one;   /* owned: the one that is shown in full; NULL: the list */
	char chosen[20];
	size_t top;
	bool trouble; /* those in trouble alone */
	bool changed, over;
	int code;
	struct mono asked;
};

static bool is_shown(const struct watch *watch, const json_t *item)
{
	return !watch->trouble || strcmp(text_of(item, "state"), "online") != 0;
}

/* The items that are shown, in order; `at` walks. */
static const json_t *next_shown(const struct watch *watch, size_t *at)
{
	while (*at < json_array_size(watch->items)) {
		const json_t *item = json_array_get(watch->items, (*at)++);
		if (is_shown(watch, item))
			return item;
	}
	return NULL;
}

static size_t place_of_chosen(const struct watch *watch, size_t *count)
{
	size_t place = 0, found = 0;
	const json_t *item;
	for (size_t at = 0; (item = next_shown(watch, &at)); place++)
		if (strcmp(text_of(item, "eui"), watch->chosen) == 0)
			found = place;
	*count = place;
	return found;
}

static void choose(struct watch *watch, size_t place)
{
	const json_t *item;
	for (size_t at = 0; (item = next_shown(watch, &at)); place--)
		if (place == 0) {
			snprintf(watch->chosen, sizeof watch->chosen, "%s", text_of(item, "eui"));
			return;
		}
}

static void draw_head(struct watch *watch)
{
	char text[64];
	screen_put(&watch->screen, COLOUR_STRONG, "GATEWAYS  ", 0);
	if (!watch->items) {
		screen_put(&watch->screen, COLOUR_BAD, "the application server does not answer", 0);
		screen_line(&watch->screen);
		return;
	}
	for (size_t i = 0; cli_gateway_states[i]; i++) {
		const char *name = cli_gateway_states[i][0] ? cli_gateway_states[i] : "?";
		size_t count = cli_gateways_count(watch->items, cli_gateway_states[i]);
		if (count == 0)
			continue;
		snprintf(text, sizeof text, "%zu %s   ", count, name);
		screen_put(&watch->screen, colour_of_word(name), text, 0);
	}
	screen_line(&watch->screen);
	screen_put(&watch->screen, COLOUR_DIM,
		   watch->trouble ? "those in trouble alone: t all  enter one  q end"
				  : "t trouble alone  enter one  q end",
		   0);
	screen_line(&watch->screen);
	static const struct {
		const char *title;
		unsigned width;
	} columns[] = {{"STATE", 12},     {"NAME", 24}, {"SEEN", 10},
		       {"UPLINKS/H", 11}, {"LOSS", 8},  {"REASON", 0}};
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		screen_put(&watch->screen, COLOUR_STRONG, columns[i].title, columns[i].width);
	screen_line(&watch->screen);
}

static void draw_list(struct watch *watch, unsigned rows)
{
	size_t count, place = 0, chosen = place_of_chosen(watch, &count);
	size_t room = rows > HEAD_ROWS ? rows - HEAD_ROWS : 1;
	const json_t *item;
	if (chosen < watch->top)
		watch->top = chosen;
	if (chosen >= watch->top + room)
		watch->top = chosen - room + 1;
	for (size_t at = 0; (item = next_shown(watch, &at)) && screen_rows_left(&watch->screen) > 0;
	     place++) {
		char cells[CLI_GATEWAY_CELLS][256];
		if (place < watch->top)
			continue;
		cli_gateway_cells(item, cells);
		watch->screen.reverse = place == chosen;
		screen_put(&watch->screen, colour_of_word(cells[0]), cells[0], 12);
		screen_put(&watch->screen, COLOUR_NONE, cells[1], 24);
		screen_put(&watch->screen, COLOUR_NONE, cells[2], 10);
		screen_put(&watch->screen, COLOUR_NONE, cells[3], 11);
		screen_put(&watch->screen, COLOUR_NONE, cells[4], 8);
		screen_put(&watch->screen, COLOUR_NONE, cells[5], 0);
		watch->screen.reverse = false;
		screen_line(&watch->screen);
	}
}

/* One in full: the lines that `gateway show` prints. */
static void draw_one(struct watch *watch, unsigned columns)
{
	char *text = NULL, *rest = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return;
	cli_gateway_print(out, watch->one, json_object_get(watch->one, "outages"), columns);
	bool written = fclose(out) == 0;
	for (char *line = written ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		screen_put(&watch->screen, COLOUR_NONE, line, 0);
		screen_line(&watch->screen);
	}
	screen_put(&watch->screen, COLOUR_DIM, "escape: back   q: end", 0);
	free(text);
}

static void draw(struct watch *watch)
{
	unsigned columns, rows;
	size_t length;
	terminal_size(watch->terminal, &columns, &rows);
	screen_begin(&watch->screen, columns, rows, colour_is_on(stdout));
	if (watch->one) {
		draw_one(watch, columns);
	} else {
		draw_head(watch);
		draw_list(watch, rows);
	}
	const char *bytes = screen_end(&watch->screen, &length);
	terminal_write(watch->terminal, bytes, length);
	watch->changed = false;
}

static void leave_one(struct watch *watch)
{
	json_decref(watch->one);
	watch->one = NULL;
}

static void fetch_one(struct watch *watch)
{
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
	if (!watch->chosen[0] || !cli_target_append(target, watch->chosen))
		return;
	json_t *one = cli_try_within(watch->client, target, PATIENCE);
	if (!one)
		return;
	leave_one(watch);
	watch->one = one;
	snprintf(target + strlen(target), sizeof target - strlen(target), "/outages?limit=5");
	json_t *outages = cli_try_within(watch->client, target, PATIENCE);
	if (outages)
		json_object_set(one, "outages", json_object_get(outages, "items"));
	json_decref(outages);
}

static void on_tick(void *ctx, struct now now)
{
	struct watch *watch = ctx;
	if (watch->asked.us == 0 || mono_since(now.mono, watch->asked) >= AGAIN) {
		json_decref(watch->items);
		watch->items = cli_gateways_ask(watch->client, watch->arguments);
		if (watch->one)
			fetch_one(watch);
		if (!watch->chosen[0])
			choose(watch, 0);
		watch->asked = now.mono;
		watch->changed = true;
	}
	if (watch->changed)
		draw(watch);
}

static void move(struct watch *watch, long long by)
{
	size_t count, chosen = place_of_chosen(watch, &count);
	long long wanted = (long long)chosen + by;
	if (count > 0)
		choose(watch, wanted < 0 ? 0 : (size_t)wanted >= count ? count - 1 : (size_t)wanted);
}

static void on_key(void *ctx, int key)
{
	struct watch *watch = ctx;
	watch->changed = true;
	switch (key) {
	case KEY_UP: move(watch, -1); break;
	case KEY_DOWN: move(watch, 1); break;
	case KEY_PAGE_UP: move(watch, -20); break;
	case KEY_PAGE_DOWN: move(watch, 20); break;
	case KEY_HOME: move(watch, INT32_MIN); break;
	case KEY_END: move(watch, INT32_MAX); break;
	case KEY_ENTER: fetch_one(watch); break;
	case KEY_ESCAPE:
	case KEY_BACKSPACE: leave_one(watch); break;
	case 't': watch->trouble = !watch->trouble; break;
	case 'q':
		watch->over = true;
		watch->code = CLI_DONE;
		break;
	default: break;
	}
}

static void on_change(void *ctx)
{
	((struct watch *)ctx)->changed = true;
}

static void on_gone(void *ctx)
{
	((struct watch *)ctx)->over = true;
}

static void on_stop(void *ctx, struct now now)
{
	(void)now;
	((struct watch *)ctx)->over = true;
}

static bool is_over(void *ctx)
{
	return ((const struct watch *)ctx)->over;
}

static int fill_screen(const struct cli_arguments *arguments)
{
	struct watch watch = {.arguments = arguments, .code = CLI_INTERRUPTED};
	const struct io_turn turn = {.on_stop = on_stop, .ctx = &watch};
	const struct terminal_hooks hooks = {on_key, on_change, on_gone, &watch};
	screen_init(&watch.screen);
	watch.client = cli_client_new(arguments);
	watch.loop = io_loop_new(&turn);
	watch.timer = io_timer_new(watch.loop, on_tick, &watch);
	watch.terminal = terminal_open(watch.loop, &hooks);
	if (watch.terminal) {
		io_timer_start(watch.timer, 1, DRAW_EVERY);
		(void)io_loop_run_until(watch.loop, is_over, &watch, INT64_MAX / 4);
	}
	terminal_close(watch.terminal);
	io_timer_free(watch.timer);
	io_loop_free(watch.loop);
	cli_client_free(watch.client);
	screen_release(&watch.screen);
	leave_one(&watch);
	json_decref(watch.items);
	return watch.code;
}

int cli_gateway_watch(const struct cli_arguments *arguments)
{
	const char *count = cli_argument(arguments, "count");
	bool plain = arguments->json || cli_argument(arguments, "plain") || !terminal_is_usable();
	unsigned long left = 0;
	if (count && !cli_parse_count("--count", count, &left))
		return CLI_USAGE;
	if (count && !plain)
		return cli_problem(CLI_USAGE, "--count", "lamppost gateway watch --plain --count 1",
				   "goes with --plain or --json");
	return plain ? print_again(arguments, left) : fill_screen(arguments);
}
