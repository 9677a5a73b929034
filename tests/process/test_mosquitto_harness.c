/* The broker of the tests is itself tested: what the others conclude from it depends on it. */
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/process.h"

#include <stdio.h>

static void a_restart_of_the_broker_loses_nothing(void **state)
{
	(void)state;
	char dir[T_DIR_MAX];
	t_temp_dir(dir);
	struct t_mosquitto *broker = t_mosquitto_start(dir, 0);
	uint16_t port = t_mosquitto_port(broker);
	struct t_subscriber *subscriber = t_subscribe(port, "agency", "a/#");
	t_true("published", t_publish(port, "a/b", "one"));
	t_true("not subscribed to", t_publish(port, "b", "other"));
	t_true("arrived", t_subscriber_wait(subscriber, 1, T_CEILING));
	t_mosquitto_stop(broker);
	t_false("stopped", t_publish(port, "a/b", "lost"));
	t_mosquitto_resume(broker);
	t_true("published again", t_publish(port, "a/c", "two"));
	t_true("arrived", t_subscriber_wait(subscriber, 2, T_CEILING));
	t_uint("no more", 2, t_subscriber_count(subscriber));
	t_str("topic", "a/b", t_subscriber_topic(subscriber, 0));
	t_str("payload", "one", t_subscriber_payload(subscriber, 0));
	t_str("topic", "a/c", t_subscriber_topic(subscriber, 1));
	t_str("payload", "two", t_subscriber_payload(subscriber, 1));
	t_subscriber_free(subscriber);
	t_mosquitto_free(broker);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_restart_of_the_broker_loses_nothing)};
	return t_run(tests);
}
