/* A broker is named, and the name server takes its time: the loop goes on meanwhile, and closing does not wait. getaddrinfo() is
 * this program's own: it answers only when the loop has turned. */
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/process.h"

#include "application-server/delivery/mqtt.h"
#include "common/base/check.h"
#include "common/io/loop.h"

#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#define CEILING (20 * US_PER_S)
#define NAME    "broker.invalid"

static sem_t answer;
static pthread_t loops_thread;
static int asked, asked_on_the_loop; /* read when the asking thread has ended or waits */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the library's are reserved */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	static struct sockaddr_in address = {.sin_family = AF_INET};
	static struct addrinfo info = {.ai_family = AF_INET,
				       .ai_socktype = SOCK_STREAM,
				       .ai_addr = (struct sockaddr *)&address,
				       .ai_addrlen = sizeof address};
	(void)service, (void)hints;
	ASSERT(strcmp(name, NAME) == 0);
	asked++;
	asked_on_the_loop += pthread_equal(pthread_self(), loops_thread) != 0;
	if (!asked_on_the_loop)
		sem_wait(&answer);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*found = &info;
	return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void freeaddrinfo(struct addrinfo *found)
{
	(void)found;
}

struct world {
	char dir[T_DIR_MAX];
	struct io_loop *loop;
	struct as_store *store;
	struct t_mosquitto *broker;
	struct as_mqtt *mqtt;
	struct rng rng;
};

static void open_world(struct world *world)
{
	memset(world, 0, sizeof *world);
	sem_init(&answer, 0, 0);
	asked = asked_on_the_loop = 0;
	loops_thread = pthread_self();
	t_temp_dir(world->dir);
	world->rng = rng_seeded(1);
	ASSERT(as_store_open(
		       &(struct as_store_options){
			       .city_path = ":memory:", .readings_path = ":memory:", .rng = &world->rng},
		       &world->store) == ST_OK);
	world->loop = io_loop_new(NULL);
	world->broker = t_mosquitto_start(world->dir, 0);
	ASSERT(as_mqtt_open(world->loop, world->store,
			    &(struct as_mqtt_options){.broker = {.host = NAME,
								 .port = t_mosquitto_port(world->broker),
								 .username = "",
								 .password = "",
								 .ca_file = ""},
						      .in_flight = 10,
						      .qos = 1},
			    &world->mqtt) == ST_OK);
}

static void close_world(struct world *world)
{
	as_mqtt_close(world->mqtt);
	io_loop_free(world->loop);
	as_store_close(world->store);
	t_mosquitto_free(world->broker);
	t_temp_dir_remove(world->dir);
}

static bool is_asked(void *ctx)
{
	const struct world *world = ctx;
	return strcmp(as_mqtt_status(world->mqtt).state, "connecting") == 0;
}

static bool is_up(void *ctx)
{
	const struct world *world = ctx;
	return strcmp(as_mqtt_status(world->mqtt).state, "up") == 0;
}

static void a_slow_name_server_does_not_hold_the_loop(void **state)
{
	struct world world;
	(void)state;
	open_world(&world);
	t_true("asks", io_loop_run_until(world.loop, is_asked, &world, CEILING));
	t_true("waits for the answer", !is_up(&world));
	sem_post(&answer);
	t_true("is connected", io_loop_run_until(world.loop, is_up, &world, CEILING));
	t_int("asked", 1, asked);
	t_int("never on the loop's thread", 0, asked_on_the_loop);
	close_world(&world);
}

static void closing_does_not_wait_for_the_name_server(void **state)
{
	struct world world;
	(void)state;
	open_world(&world);
	t_true("asks", io_loop_run_until(world.loop, is_asked, &world, CEILING));
	close_world(&world); /* returns without an answer */
	sem_post(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_slow_name_server_does_not_hold_the_loop),
		t_test(closing_does_not_wait_for_the_name_server),
	};
	return t_run(tests);
}
