#include "tests/harness/foreign_join.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"
#include "tests/harness/harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CITY "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

void t_foreign_join_start(struct t_foreign_join *join, const char *net_id, const char *section)
{
	*join = (struct t_foreign_join){0};
	t_temp_dir(join->dir);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", join->dir}, .dir = join->dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	snprintf(join->config, sizeof join->config, "%s/join.yaml", join->dir);
	snprintf(join->join_sock, sizeof join->join_sock, "%s/run/join.sock", join->dir);
	snprintf(join->admin_sock, sizeof join->admin_sock, "%s/run/join-server.admin.sock", join->dir);
	static char text[8192];
	snprintf(text, sizeof text,
		 "common:\n  state_dir: %s\n  run_dir: %s/run\n  net_id: \"%s\"\njoin-server:\n%s", join->dir,
		 join->dir, net_id, section);
	t_write_file(join->config, text);
	join->process = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", join->config}, .dir = join->dir});
	if (!t_true("healthy", t_wait_until(t_is_healthy, join->admin_sock, T_CEILING))) {
		static char log[4096];
		fputs(t_process_log(join->process, log, sizeof log), stderr);
	}
}

void t_foreign_join_stop(struct t_foreign_join *join)
{
	t_int("orderly stop", 0, t_process_stop(join->process));
	t_process_free(join->process);
	t_temp_dir_remove(join->dir);
}

void t_foreign_join_add(struct t_foreign_join *join, const char *dev_eui, const char *join_eui,
			const char *app_key, const char *home)
{
	char path[T_DIR_MAX + 64], hex[80] = "", key_text[BASE64_ROOM(SEALED_KEY_LENGTH)], body[1024],
				   answer[512];
	uint8_t box[32], key[16], eui[8], sealed[SEALED_KEY_LENGTH];
	snprintf(path, sizeof path, "%s/keys/join-server.box.pub", join->dir);
	FILE *file = fopen(path, "re");
	ASSERT(file && fgets(hex, sizeof hex, file));
	fclose(file);
	hex[64] = '\0';
	ASSERT(hex_decode_exact(box, sizeof box, hex) && hex_decode_exact(key, sizeof key, app_key) &&
	       hex_decode_exact(eui, sizeof eui, dev_eui));
	ASSERT(sealed_key_seal(sealed, box, SEALED_APP_KEY, eui, key) == ST_OK);
	base64_encode(key_text, sealed, sizeof sealed);
	bool first = join->version == 0;
	snprintf(body, sizeof body,
		 "{\"city\":\"" CITY "\",%s\"records\":[{\"version\":%" PRIu64
		 ",\"dev_eui\":\"%s\",\"enabled\":true,"
		 "\"join_eui\":\"%s\",\"mac_version\":\"1.0.4\",\"app_key\":\"%s\"%s%s%s}]}",
		 first ? "\"full\":true,\"end\":true," : "", join->version + 1, dev_eui, join_eui, key_text,
		 home ? ",\"home_net_id\":\"" : "", home ? home : "", home ? "\"" : "");
	join->version++;
	t_int("provisioned", 200,
	      t_unix_post(join->join_sock, "/provisioning/v1/records", body, answer, sizeof answer));
}
