// What folkmootctl doctor finds of a hub that is well, of one that does not run, of one whose
// certificate has expired, and of a stranger at its address.

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/hub.h"

static cJSON *look(struct hub *hub)
{
    static const char *const words[] = {"doctor", NULL};
    return hub_on_files(hub, words, true);
}

// "well", "care", "ill"; "" where it finds nothing of it. What needs care has advice.
static const char *state_of(const cJSON *answer, const char *of)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(answer, "findings"))
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(item, "of")), of) != 0)
            continue;
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItem(item, "state"));
        bool has_advice = cJSON_HasObjectItem(item, "advice");
        CHECK(has_advice == (strcmp(state, "well") != 0), "%s is %s without advice", of, state);
        return state;
    }
    return "";
}

static void expect(struct hub *hub, const char *of, const char *state)
{
    cJSON *answer = look(hub);
    CHECK(strcmp(state_of(answer, of), state) == 0, "%s is %s, not %s", of, state_of(answer, of),
          state);
    cJSON_Delete(answer);
}

static void a_hub_that_is_well_and_one_that_does_not_run(void)
{
    static const char *const all[] = {"hub",    "files",    "identity key",
                                      "disk",   "database", "certificate",
                                      "limits", "address",  "old databases"};
    struct hub hub;
    hub_open(&hub, "");
    char state[HUB_PATH_BYTES];
    hub_path_of(&hub, "state", state);
    CHECK(chmod(state, 0700) == 0, "chmod");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i], "disk") != 0) // the machine's own
            expect(&hub, all[i], "well");
    CHECK(chmod(state, 0755) == 0, "chmod");
    expect(&hub, "files", "care");
    char old[HUB_PATH_BYTES];
    hub_path_of(&hub, "state/db.before-20260101-000000", old);
    CHECK(mkdir(old, 0700) == 0, "mkdir");
    expect(&hub, "old databases", "care");
    CHECK(rmdir(old) == 0, "rmdir");
    hub_stop(&hub);
    expect(&hub, "hub", "ill");
    expect(&hub, "address", "care");
    expect(&hub, "database", "");
    char key[HUB_PATH_BYTES], kept[HUB_PATH_BYTES];
    hub_path_of(&hub, "state/identity.key", key);
    hub_path_of(&hub, "kept.key", kept);
    CHECK(rename(key, kept) == 0, "rename");
    expect(&hub, "identity key", "ill");
    CHECK(rename(kept, key) == 0, "rename");
    hub_start(&hub);
    hub_close(&hub);
}

static void a_certificate_that_is_not_the_one_that_answers(void)
{
    struct hub hub;
    char certificate[HUB_PATH_BYTES], errors[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_path_of(&hub, "state/tls.pem", certificate);
    hub_path_of(&hub, "openssl", errors);
    const char *const argv[] = {"/usr/bin/openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-keyout",
                                "/dev/null",
                                "-days",
                                "3",
                                "-subj",
                                "/CN=other",
                                "-out",
                                certificate,
                                NULL};
    int code;
    free(child_output(argv, errors, &code));
    CHECK(code == 0, "openssl ended with %d", code);
    expect(&hub, "certificate", "care");
    expect(&hub, "address", "ill");
    CHECK(unlink(certificate) == 0, "unlink");
    expect(&hub, "certificate", "ill");
    // What key the hub's own is, is not known then.
    cJSON *answer = look(&hub);
    char *text = cJSON_Print(answer);
    CHECK(strstr(text, " answers\"") && !strstr(text, "hub's key"), "%s", text);
    cJSON_free(text);
    cJSON_Delete(answer);
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_hub_that_is_well_and_one_that_does_not_run",
         a_hub_that_is_well_and_one_that_does_not_run},
        {"a_certificate_that_is_not_the_one_that_answers",
         a_certificate_that_is_not_the_one_that_answers},
    };
    return check_main(cases, 2, argc, argv);
}
