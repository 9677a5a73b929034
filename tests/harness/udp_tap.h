/* Stands between gateways and a bridge, passes every datagram on, and writes them all to a capture file as tcpdump would on the
 * server: IPv4 packets of Linux "cooked" link layer, version 2, both directions, flushed one by one.
 *
 *	struct t_udp_tap *tap = t_udp_tap_start(t_network_port(network), "/tmp/x/gateways.pcap");
 *	... gateways send to 127.0.0.1:t_udp_tap_port(tap) ...
 *	t_udp_tap_free(tap);
 *
 * In the file the server has the port of the real one. */
#ifndef LAMPPOST_TESTS_UDP_TAP_H
#define LAMPPOST_TESTS_UDP_TAP_H

#include <stdint.h>

struct t_udp_tap; /* opaque; has a thread of its own */

struct t_udp_tap *t_udp_tap_start(uint16_t server_port, const char *path);
uint16_t t_udp_tap_port(const struct t_udp_tap *tap);
void t_udp_tap_free(struct t_udp_tap *tap);

#endif
