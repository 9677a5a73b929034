/* Where a simulated station keeps what a real one keeps in its home directory, in files of the same names:
 *
 *	cups.uri  cups.trust  cups.crt  cups.key         and the same of tc.*, with -bak and -boot behind the stem
 *	sig-0.key .. sig-3.key                            public keys that firmware must be signed with, X ‖ Y
 *	version.txt                                       the firmware that is installed
 *	update.bin                                        the last firmware that came
 *
 * `lamppost gateway certificate EUI issue --output DIR` and `gateway token EUI issue --output DIR` make such a directory. Trust and
 * certificate are PEM or DER, the key too, or lines of HTTP headers. What CUPS hands over is stored as it came, DER; for OpenSSL,
 * which reads PEM alone, a copy is made in DIR/pem, named after the checksum of the set, so that nobody goes on with the old one.
 *
 * Invariants: files are written beside and renamed, 0600; a set is read whole or not at all. */
#ifndef LAMPPOST_SIM_STATION_HOME_H
#define LAMPPOST_SIM_STATION_HOME_H

#include "simulator/scenario.h"
#include "simulator/station_cups.h"

#define SIM_HOME_ERROR 400

/* Fills sets, keys and package from the directory, and begins as sim_cups_init(). What is not there is not there; false, with a
 * phrase for people: the directory or a file of it cannot be read, or a set is longer than fits. */
bool sim_home_load(const char *dir, const struct lw_eui64 *eui, struct sim_cups *cups,
		   char error[SIM_HOME_ERROR]);
/* Writes the regular and the backup sets and the package as they are now. */
bool sim_home_store(const char *dir, const struct sim_cups *cups, char error[SIM_HOME_ERROR]);
/* Writes update.bin. */
bool sim_home_update(const char *dir, const uint8_t *bytes, size_t length, char error[SIM_HOME_ERROR]);
/* Fills where the set's parts are as PEM (trust, certificate, key), or its token. */
bool sim_home_tls(const char *dir, const struct sim_cups_set *set, struct sim_scenario_tls *tls,
		  char error[SIM_HOME_ERROR]);
/* Makes the files that a scenario's `tls` names such as OpenSSL reads: one that is DER, as CUPS leaves them in a home, gives way to a
 * PEM copy in the folder pem beside it. What is not there is left to whoever opens it. False, with a phrase: it cannot be read or
 * copied. */
bool sim_home_files(struct sim_scenario_tls *tls, char error[SIM_HOME_ERROR]);

#endif
