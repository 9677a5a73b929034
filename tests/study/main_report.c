/* make radio-report: runs the study for every radio, scenario and algorithm on some seeds, and writes docs/radio-report.md with its
 * plots. Two paths and two numbers: FOLDER SEEDS FIRST-SEED WORKERS. The same arguments give the same report. */
#include "tests/study/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS_MAX 64

static const char *const radio_names[STUDY_RADIOS] = {"A", "B"};
static const char *const colours[] = {"#4c72b0", "#dd8452", "#55a868", "#c44e52"};

struct table {
	struct study_result of[STUDY_RADIOS][STUDY_SCENARIOS][NET_ADR_ALGORITHMS][SEEDS_MAX];
};

/* What is compared of a run. */
enum metric { DELIVERY, ENERGY, AIRTIME, DOWNLINKS, METRICS };

static double value_of(const struct study_result *result, enum metric metric)
{
	double delivered = result->delivered > 0 ? result->delivered : 1;
	switch (metric) {
	case DELIVERY: return 100 * result->delivered / result->made;
	case ENERGY: return result->energy_mj / delivered;
	case AIRTIME: return 1000 * result->airtime_s / delivered;
	case DOWNLINKS:
	default: return 100 * result->downlinks / result->made;
	}
}

static double mean(const struct study_result *of, unsigned seeds, enum metric metric)
{
	double sum = 0;
	for (unsigned i = 0; i < seeds; i++)
		sum += value_of(&of[i], metric);
	return sum / seeds;
}

/* Of an algorithm against the usual one on the same seeds: the mean difference, and its standard error. */
static double difference(const struct study_result *of, const struct study_result *usual, unsigned seeds,
			 enum metric metric, double *error)
{
	double sum = 0, squares = 0;
	for (unsigned i = 0; i < seeds; i++) {
		double d = value_of(&of[i], metric) - value_of(&usual[i], metric);
		sum += d;
		squares += d * d;
	}
	double average = sum / seeds;
	*error = seeds > 1 ? sqrt(fmax(0, squares / seeds - average * average) / (seeds - 1)) : 0;
	return average;
}

static void run_all(struct table *table, unsigned seeds, uint64_t first, int workers)
{
	for (int worker = 0; worker < workers; worker++) {
		if (fork() != 0)
			continue;
		int number = 0;
		for (unsigned s = 0; s < seeds; s++)
			for (int r = 0; r < STUDY_RADIOS; r++)
				for (int c = 0; c < STUDY_SCENARIOS; c++)
					for (int a = 0; a < NET_ADR_ALGORITHMS; a++) {
						struct study_job job = {r, c, a, first + s};
						if (number++ % workers == worker)
							study_run(&job, &table->of[r][c][a][s]);
					}
		_exit(0);
	}
	for (int worker = 0; worker < workers; worker++) {
		int status;
		if (wait(&status) < 0 || status != 0)
			exit(1);
	}
}

/* --- plots --- */

static void bars(FILE *out, const struct table *table, unsigned seeds, int radio, enum metric metric,
		 const char *title, int y)
{
	double most = 0;
	for (int c = 0; c < STUDY_SCENARIOS; c++)
		for (int a = 0; a < NET_ADR_ALGORITHMS; a++)
			most = fmax(most, mean(table->of[radio][c][a], seeds, metric));
	fprintf(out, "<text x='10' y='%d' font-weight='bold'>%s</text>\n", y, title);
	for (int c = 0; c < STUDY_SCENARIOS; c++) {
		int at = y + 14 + c * (NET_ADR_ALGORITHMS * 14 + 10);
		fprintf(out, "<text x='10' y='%d'>%s</text>\n", at + 12, study_scenario_names[c]);
		for (int a = 0; a < NET_ADR_ALGORITHMS; a++) {
			double value = mean(table->of[radio][c][a], seeds, metric);
			double width = most > 0 ? 360 * value / most : 0;
			fprintf(out,
				"<rect x='190' y='%d' width='%.1f' height='12' fill='%s'/><text x='%.1f' "
				"y='%d'>%s %.1f</text>\n",
				at + a * 14, width, colours[a % 4], 195 + width, at + a * 14 + 10,
				net_adr_algorithm_name((enum net_adr_algorithm)a), value);
		}
	}
}

static void plot(const char *folder, const struct table *table, unsigned seeds, int radio)
{
	char path[512];
	int panel = 40 + STUDY_SCENARIOS * (NET_ADR_ALGORITHMS * 14 + 10);
	snprintf(path, sizeof path, "%s/radio-report-%c.svg", folder, radio == STUDY_RADIO_A ? 'a' : 'b');
	FILE *out = fopen(path, "w");
	if (!out)
		exit(1);
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' width='660' height='%d' font-family='sans-serif' "
		"font-size='11'>\n<rect width='660' height='%d' fill='white'/>\n",
		2 * panel, 2 * panel);
	bars(out, table, seeds, radio, DELIVERY, "Readings delivered, %", 20);
	bars(out, table, seeds, radio, ENERGY, "Energy, mJ for each reading delivered", 20 + panel);
	fprintf(out, "</svg>\n");
	if (fclose(out) != 0)
		exit(1);
}

/* --- the report --- */

static void rows(FILE *out, const struct table *table, unsigned seeds, int radio)
{
	fprintf(out, "| Scenario | Algorithm | Delivered | Energy a reading | Airtime a reading | Downlinks "
		     "of 100 readings | DR0 to DR5, %% "
		     "of frames |\n|---|---|---|---|---|---|---|\n");
	for (int c = 0; c < STUDY_SCENARIOS; c++)
		for (int a = 0; a < NET_ADR_ALGORITHMS; a++) {
			const struct study_result *of = table->of[radio][c][a];
			double frames[STUDY_DRS] = {0}, all = 0;
			for (unsigned s = 0; s < seeds; s++)
				for (int dr = 0; dr < STUDY_DRS; dr++) {
					frames[dr] += of[s].frames[dr];
					all += of[s].frames[dr];
				}
			fprintf(out, "| %s | %s | %.2f %% | %.1f mJ | %.0f ms | %.2f |",
				study_scenario_names[c], net_adr_algorithm_name((enum net_adr_algorithm)a),
				mean(of, seeds, DELIVERY), mean(of, seeds, ENERGY), mean(of, seeds, AIRTIME),
				mean(of, seeds, DOWNLINKS));
			for (int dr = 0; dr < STUDY_DRS; dr++)
				fprintf(out, " %.0f", 100 * frames[dr] / (all > 0 ? all : 1));
			fprintf(out, " |\n");
		}
}

static void against_usual(FILE *out, const struct table *table, unsigned seeds, int radio)
{
	fprintf(out, "\nAgainst `usual` on the same seeds, mean and standard error of the difference:\n\n"
		     "| Scenario | Algorithm | Delivered, points | Energy a reading |\n|---|---|---|---|\n");
	for (int c = 0; c < STUDY_SCENARIOS; c++)
		for (int a = 0; a < NET_ADR_ALGORITHMS; a++) {
			const struct study_result *usual = table->of[radio][c][NET_ADR_USUAL];
			const struct study_result *of = table->of[radio][c][a];
			double delivery_error, energy_error;
			if (a == NET_ADR_USUAL)
				continue;
			double delivery = difference(of, usual, seeds, DELIVERY, &delivery_error);
			double energy = difference(of, usual, seeds, ENERGY, &energy_error);
			double base = mean(usual, seeds, ENERGY);
			fprintf(out, "| %s | %s | %+.2f ± %.2f | %+.1f %% ± %.1f |\n",
				study_scenario_names[c], net_adr_algorithm_name((enum net_adr_algorithm)a),
				delivery, delivery_error, 100 * energy / base, 100 * energy_error / base);
		}
}

static void report(const char *folder, const struct table *table, unsigned seeds, uint64_t first)
{
	char path[512];
	snprintf(path, sizeof path, "%s/radio-report.md", folder);
	FILE *out = fopen(path, "w");
	if (!out)
		exit(1);
	fprintf(out,
		"# ADR: the radio report\n\nMade by `make radio-report` (seeds %llu to %llu; `SEEDS=`, "
		"`FIRST_SEED=`); do not edit. "
		"The study is `tests/study/`: what is simulated, and what is left out, stands in "
		"`study.h`.\n\n"
		"A city of 8 by 8 km with 10 gateways, a reading of 30 bytes every 10 minutes, eight "
		"channels of eu868, "
		"devices that begin at DR0 and follow the specification's back-off (64 and 32 uplinks), the "
		"network server's own ADR. "
		"36 hours for 2,000 devices, else 72; the first third is not measured, with a lost gateway "
		"the first half. "
		"A reading counts as delivered if any gateway reads any of its copies. `fixed` is DR2 at "
		"full power.\n\n"
		"Energy: sending takes 40 mW and what is radiated at 35 %% (16 dBm EIRP: 154 mW; 2 dBm: 45 "
		"mW), listening 15 mW for "
		"8 symbols in RX1 and 8 of SF12 in RX2 after every transmission, and for the length of a "
		"downlink; sleep is left out.\n",
		(unsigned long long)first, (unsigned long long)(first + seeds - 1));
	static const char *const about[STUDY_RADIOS] = {
		"Distance law with exponent 3.5, shadows of 8 dB on each link for itself, Rayleigh fading; "
		"capture at 6 dB, 8 to 24 dB of "
		"rejection between spreading factors.",
		"Exponent 3.0 and 14 dB of walls, shadows of 10 dB of which 60 % of the variance are the "
		"device's own place, fading "
		"normal in dB (4 dB); capture at 1 dB, 16 dB of rejection between any two spreading factors.",
	};
	for (int r = 0; r < STUDY_RADIOS; r++) {
		fprintf(out, "\n## Radio model %s\n\n%s\n\n", radio_names[r], about[r]);
		rows(out, table, seeds, r);
		against_usual(out, table, seeds, r);
		fprintf(out, "\n![Delivery and energy](radio-report-%c.svg)\n",
			r == STUDY_RADIO_A ? 'a' : 'b');
		plot(folder, table, seeds, r);
	}
	if (fclose(out) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	unsigned seeds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
	uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	int workers = argc > 4 ? (int)strtoul(argv[4], NULL, 10) : 2;
	if (argc < 2 || seeds < 1 || seeds > SEEDS_MAX || workers < 1 || workers > 64) {
		fprintf(stderr, "usage: %s FOLDER [SEEDS [FIRST-SEED [WORKERS]]]; at most %d seeds\n",
			argv[0], SEEDS_MAX);
		return 2;
	}
	struct table *table = mmap(
		NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
		-1, 0);
	if (table == MAP_FAILED)
		return 1;
	run_all(table, seeds, first, workers);
	report(argv[1], table, seeds, first);
	printf("%s/radio-report.md\n", argv[1]);
	return 0;
}
