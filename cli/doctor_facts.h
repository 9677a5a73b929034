/* What `lamppost doctor` found when it looked, and nothing of what it thinks of it: looking (doctor_look_*.c) fills this,
 * judging (doctor_judge_*.c) reads it and nothing else, so that every verdict can be tested with facts that no test machine
 * has.
 *
 * A fact that could not be had says so by a member of its own (`known`, DOCTOR_DENIED, −1): never by a zero that looks like
 * a measurement. */
#ifndef LAMPPOST_CLI_DOCTOR_FACTS_H
#define LAMPPOST_CLI_DOCTOR_FACTS_H

#include "cli/place.h"
#include "cli/up.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCTOR_FILES_MAX     96
#define DOCTOR_KEKS_MAX      16
#define DOCTOR_SOCKETS_MAX   8
#define DOCTOR_PORTS_MAX     8
#define DOCTOR_CALLERS_MAX   32
#define DOCTOR_WARNINGS_MAX  8
#define DOCTOR_LIBRARIES_MAX 8
#define DOCTOR_CHANNELS_MAX  8
#define DOCTOR_DATABASES     4

/* What a path turned out to be for whoever runs this. */
enum doctor_seen { DOCTOR_THERE, DOCTOR_MISSING, DOCTOR_DENIED };

enum doctor_file_kind {
	DOCTOR_STATE_DIR,
	DOCTOR_KEYS_DIR,
	DOCTOR_RUN_DIR,
	DOCTOR_KEY,        /* secret: 0600 of its reader */
	DOCTOR_KEY_FOLDER, /* that a key stands in outside of STATE/keys */
	DOCTOR_CREDENTIAL, /* the master key as systemd hands it over: of root or its reader, closed to others */
	DOCTOR_PUBLIC_KEY, /* anybody's to read */
	DOCTOR_DATABASE,
	DOCTOR_CONFIG
};

struct doctor_file {
	enum doctor_file_kind kind;
	enum doctor_seen seen;
	char path[2 * OPTION_PATH_MAX];
	const char *reader; /* the process that has to read it; NULL: all */
	bool regular;       /* a file, or for a folder: a folder; not a link */
	unsigned mode;      /* permission bits */
	uint32_t uid;
	long long size;
};

struct doctor_process {
	const char *name;
	enum doctor_seen socket; /* of its admin socket */
	bool answers;            /* /healthz, in time */
	bool refuses;            /* a socket file that nobody listens on */
	bool healthy;
	int answer_ms;
	int pid; /* 0: not known */
	char version[32];
	char warnings[DOCTOR_WARNINGS_MAX][64];
	size_t warning_count;
	char restart_needed[256]; /* keys, parted by ", " */
	/* of /proc/PID; −1 or not known when it may not be read */
	bool owner_known;
	uint32_t uid;
	long long files_open, files_limit, core_limit;
	/* of the configuration that it would read now */
	bool checked; /* the program is there and was asked */
	bool config_good;
	char config_error[512];
};

struct doctor_socket {
	char path[2 * OPTION_PATH_MAX];
	enum doctor_seen seen;
	bool is_socket;
	unsigned mode;
	bool refuses; /* nobody listens: left from before */
	bool answers; /* Hello or HTTP within a second */
};

/* A UDP port that the configuration wants for gateways. */
struct doctor_port {
	uint16_t port;
	bool taken;       /* somebody has it */
	bool owner_known; /* and we may see who */
	bool ours;        /* the gateway-bridge of the admin socket */
	int pid;
	char owner[64];
	unsigned long long drops; /* of /proc/net/udp */
};

struct doctor_database {
	const char *name;
	const char *process;
	enum doctor_seen seen;
	bool opens;  /* as a database, read only */
	int version; /* of its schema */
	int newest;  /* that this release knows */
	long long size, wal_size;
	bool examined; /* --deep */
	bool whole;    /* quick_check said ok */
	char damage[160];
};

struct doctor_caller {
	char row[96];  /* "network-server.callers.bridges" */
	char user[64]; /* whom this machine does not know */
};

enum doctor_broker_reach {
	DOCTOR_BROKER_NONE,    /* not configured */
	DOCTOR_BROKER_UNKNOWN, /* the configuration could not be read */
	DOCTOR_BROKER_UP,      /* the application server is connected */
	DOCTOR_BROKER_WAITING, /* the application server tries */
	DOCTOR_BROKER_ACCEPTS, /* asked directly: CONNACK 0 */
	DOCTOR_BROKER_LISTENS, /* asked directly: TCP only, since it speaks TLS */
	DOCTOR_BROKER_REFUSES, /* asked directly: CONNACK with another code */
	DOCTOR_BROKER_SILENT,  /* asked directly: no MQTT came back */
	DOCTOR_BROKER_AWAY     /* asked directly: no TCP connection */
};

/* A channel of alarms, as the application server says since its start. */
struct doctor_channel {
	char name[64], problem[160]; /* of the last failure; "": none */
	long long sent, failed, failing_s;
	bool failing;
};

struct doctor_facts {
	struct cli_place place;
	bool root; /* who runs this */
	bool deep;
	/* the machine */
	long cores;
	unsigned long long memory, memory_free, swap, swap_used; /* bytes */
	char kernel[96], release[96];
	bool debian;
	int debian_version; /* 12; 0: not told */
	struct {
		const char *name;
		char version[32];
	} libraries[DOCTOR_LIBRARIES_MAX];
	size_t library_count;
	int sqlite_number; /* 3040001 */
	/* files */
	uint32_t service_uid; /* the owner of the state directory */
	struct doctor_file files[DOCTOR_FILES_MAX];
	size_t file_count;
	/* the clock */
	bool clock_known, synchronised;
	long long clock_error_us; /* the kernel's estimate */
	int year;
	long long stepped_us; /* how far the wall clock moved against the monotonic one while we looked */
	/* the disk below the state directory */
	bool disk_known, read_only, network_disk;
	char disk_type[32];
	unsigned long long disk_free, disk_size, inodes_free,
		inodes;                      /* inodes 0: the file system has no number */
	long long journal_limit, disk_floor; /* MiB of the configuration; −1: not known */
	bool flush_known;
	long long flush_us, flush_max_us; /* median and longest of a few */
	/* what runs */
	struct doctor_process processes[CLI_PROCESS_COUNT];
	struct doctor_socket sockets[DOCTOR_SOCKETS_MAX];
	size_t socket_count;
	char own_version[32];
	/* UDP */
	long long receive_max; /* net.core.rmem_max; −1 */
	bool buffer_known;     /* the bridge said */
	unsigned long long buffer_asked, buffer_given, kernel_drops;
	struct doctor_port ports[DOCTOR_PORTS_MAX];
	size_t port_count;
	/* callers whom nobody is */
	bool callers_known;
	struct doctor_caller callers[DOCTOR_CALLERS_MAX];
	size_t caller_count;
	struct doctor_database databases[DOCTOR_DATABASES];
	/* the broker */
	enum doctor_broker_reach broker;
	char broker_address[300];
	char broker_answer[96]; /* of CONNACK, or of the connection */
	unsigned long long broker_backlog;
	bool backlog_known;
	/* alarms */
	bool channels_known;
	struct doctor_channel channels[DOCTOR_CHANNELS_MAX];
	size_t channel_count;
};

#endif
