/* A scenario: what is simulated, read strictly from YAML. An unknown key, a wrong type or a value out of range refuses the file with
 * its line: `demo.yaml:12: /devices/0/interval_s: ...`.
 *
 *	seed: 1                       # draws of radio, backhaul, nonces (up to 1.0.3)
 *	region: us915                 # or eu868
 *	duration_s: 60                # optional; 0 or absent: until stopped
 *	area_m: 3000                  # what has no place is put at random into a square of this side
 *	path_loss: {exponent: 2.9, shadowing_db: 6, fading: rayleigh}      # none, rayleigh or rician
 *	gateways:
 *	  - {eui: aa555a0000000101, x: 0, y: 0, protocol: udp2, clock_drift_ppm: 12, backhaul_ms: 20, ...}
 *	devices:                      # with `count`, dev_eui, dev_addr and each key count up in their last bytes
 *	  - {count: 1, name: air, dev_eui: ..., activation: otaa, mac_version: "1.0.4", app_key: ..., interval_s: 10,
 *	     payload: air, fport: 10}
 *	faults:
 *	  - {at_s: 20, kind: gateway_off, target: aa555a0000000101, for_s: 10}
 *	expect:
 *	  - {what: joined, at_least: 4}
 *
 * All keys are in simulator/README.md. */
#ifndef LAMPPOST_SIM_SCENARIO_H
#define LAMPPOST_SIM_SCENARIO_H

#include "simulator/device.h"
#include "simulator/gateway.h"
#include "simulator/radio.h"
#include "simulator/station_down.h"

#define SIM_SCENARIO_ERROR        1024
#define SIM_SCENARIO_GATEWAYS     64
#define SIM_SCENARIO_DEVICES      20000
#define SIM_SCENARIO_FAULTS       256
#define SIM_SCENARIO_EXPECTATIONS 64
#define SIM_TARGET                48
#define SIM_ADDRESS               48
#define SIM_PATH                  256

enum sim_fault_kind {
	SIM_FAULT_GATEWAY_OFF,     /* for_s */
	SIM_FAULT_GATEWAY_RESTART, /* its counter starts again */
	SIM_FAULT_GATEWAY_MUTE,    /* for_s: takes downlinks and does not send them */
	SIM_FAULT_BACKHAUL_DOWN,   /* for_s */
	SIM_FAULT_BACKHAUL_DELAY,  /* for_s, value: milliseconds more, one way */
	SIM_FAULT_DEVICE_OFF,      /* for_s: without power; OTAA devices join again */
	SIM_FAULT_MISS_DOWNLINKS,  /* value: so many downlinks are lost at the device */
	SIM_FAULT_KIND_COUNT
};

struct sim_fault {
	int64_t at_us;
	int64_t for_us;
	enum sim_fault_kind kind;
	uint32_t value;
	char target[SIM_TARGET]; /* a gateway's EUI, a device's name or EUI, or "all" */
};

/* What is counted in the end. */
enum sim_measure {
	SIM_MEASURE_JOINED,       /* devices that have a session */
	SIM_MEASURE_READINGS,     /* frames with a reading (each counted once) */
	SIM_MEASURE_HEARD,        /* of those, heard by a gateway */
	SIM_MEASURE_CONFIRMED,    /* confirmed frames that are over */
	SIM_MEASURE_ACKNOWLEDGED, /* of those, acknowledged */
	SIM_MEASURE_DOWNLINKS,    /* accepted by devices, join-accepts included */
	SIM_MEASURE_REPEATED,     /* downlinks under a counter used before */
	SIM_MEASURE_UNANSWERED,   /* PUSH_DATA without PUSH_ACK */
	SIM_MEASURE_COUNT
};
const char *sim_measure_name(enum sim_measure measure);

struct sim_expectation {
	enum sim_measure what;
	int64_t at_least;
	int64_t at_most;
};

/* How a station proves who it is, and whom it believes; paths from the working directory. "": none. */
struct sim_scenario_tls {
	char trust[SIM_PATH], certificate[SIM_PATH], key[SIM_PATH];
	char token[SIM_PATH];       /* goes out as "Authorization: Bearer TOKEN" */
	char server_name[SIM_PATH]; /* in the server's certificate, where it is not the URI's host */
};

/* Where a gateway with ChirpStack's MQTT forwarder publishes. "": none; `trust`: of mqtts. */
struct sim_scenario_mqtt {
	char broker[SIM_PATH]; /* mqtt[s]://HOST:PORT; "": as the command line says */
	char prefix[48];       /* of its topics; the region's name by default */
	char username[SIM_PATH], password[SIM_PATH], trust[SIM_PATH], certificate[SIM_PATH], key[SIM_PATH];
};

struct sim_scenario_gateway {
	struct sim_gateway_config config;
	char address[SIM_ADDRESS]; /* where its sockets are bound; "127.0.0.1" */
	/* A station's. */
	char lns[SIM_STATION_URI_MAX + 1]; /* "": as the command line says */
	struct sim_scenario_tls tls;
	char home
		[SIM_PATH]; /* a directory with its credentials and URIs (station_home.h) in place of `tls`; "": none */
	bool cups;             /* asks CUPS first, and goes where that says */
	int64_t cups_every_us; /* and again after so long; 0: as a station does */
	struct sim_scenario_mqtt mqtt;
	bool prod, allows_commands;
};

struct sim_scenario {
	uint64_t seed;
	const struct sim_plan *plan;
	int64_t duration_us; /* 0: until stopped */
	double area_m;
	struct sim_path_loss loss;
	struct sim_scenario_gateway *gateways; /* owned, as the arrays below */
	size_t gateway_count;
	struct sim_device_config *devices;
	size_t device_count;
	struct sim_fault *faults;
	size_t fault_count;
	struct sim_expectation *expectations;
	size_t expectation_count;
};

/* Reads a scenario. False with one line in `error`, `scenario` then holds nothing to release. */
bool sim_scenario_load(struct sim_scenario *scenario, const char *file, const char *text, size_t length,
		       char error[SIM_SCENARIO_ERROR]);
/* Sets identifiers and keys of devices from a JSON array of {name, dev_eui?, join_eui?, app_key?, nwk_key?, dev_addr?,
 * nwk_s_key?, s_nwk_s_int_key?, nwk_s_enc_key?, app_s_key?}, matched by name. False with one line in `error`. */
bool sim_scenario_load_devices(struct sim_scenario *scenario, const char *text, size_t length,
			       char error[SIM_SCENARIO_ERROR]);
void sim_scenario_release(struct sim_scenario *scenario);

#endif
