/* What scenario.c (devices, faults, the whole) and scenario_gateways.c share: members of a map with a default. */
#ifndef LAMPPOST_SIM_SCENARIO_PARTS_H
#define LAMPPOST_SIM_SCENARIO_PARTS_H

#include "simulator/scenario.h"

#include "common/text/yaml_tree.h"

int64_t sim_yaml_int_or(struct yt *tree, const struct yt_node *map, const char *key, int64_t otherwise,
			int64_t min, int64_t max);
double sim_yaml_number_or(struct yt *tree, const struct yt_node *map, const char *key, double otherwise,
			  double min, double max);
bool sim_yaml_bool_or(struct yt *tree, const struct yt_node *map, const char *key, bool otherwise);
int64_t sim_yaml_microseconds(double seconds);
void sim_yaml_read_eui(struct yt *tree, const struct yt_node *node, struct lw_eui64 *out);
/* A place drawn at random on a square of that side around the middle. */
double sim_yaml_place(struct rng *rng, double area_m);

/* scenario_gateways.c */
void sim_scenario_read_gateway(struct yt *tree, const struct yt_node *node,
			       const struct sim_scenario *scenario, struct rng *rng,
			       struct sim_scenario_gateway *gateway);

#endif
