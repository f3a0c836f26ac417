// The log of what was decided: each thing once, newest last, who asked for it, and never words.

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

static cJSON *audit(struct hall *hall, const char *option, const char *value)
{
    return hall_ctl(hall, (const char *[]){"audit", "COMMUNITY", option, value, NULL});
}

static const cJSON *lines_of(const cJSON *told)
{
    return cJSON_GetObjectItemCaseSensitive(told, "decisions");
}

// The n-th line from the end.
static const cJSON *line_before(const cJSON *told, int n)
{
    const cJSON *list = lines_of(told);
    return cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1 - n);
}

static void check_line(const cJSON *line, const char *what, const struct peer *of,
                       const char *asked_by)
{
    CHECK(line && strcmp(hall_text(line, "what"), what) == 0, "\"%s\" and not \"%s\"",
          hall_text(line, "what"), what);
    CHECK(strcmp(hall_text(line, "device"), of ? hall_hex(of) : "") == 0, "%s: of %s", what,
          hall_text(line, "device"));
    CHECK(strcmp(hall_text(line, "asked_by"), asked_by) == 0, "%s: by %s", what,
          hall_text(line, "asked_by"));
}

static void all_that_was_decided_is_there_newest_last(void)
{
    struct hall hall;
    hall_open(&hall, "");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", "Ben", "member", NULL});
    hall_push_need(&hall.ben, "not a member's to say");
    hall_do(&hall, (const char *[]){"revoke", "COMMUNITY", "Ann", NULL});
    hall_do(&hall, (const char *[]){"reinstate", "COMMUNITY", "Ann", NULL});
    cJSON *told = audit(&hall, NULL, NULL);
    CHECK(cJSON_GetArraySize(lines_of(told)) == 8, "%d lines", cJSON_GetArraySize(lines_of(told)));
    check_line(line_before(told, 7), "founded", NULL, "hub");
    check_line(line_before(told, 6), "enrolled", &hall.coordinator, "invitation");
    check_line(line_before(told, 5), "enrolled", &hall.ann, "invitation");
    check_line(line_before(told, 3), "role", &hall.ben, "admin");
    CHECK(strcmp(hall_text(line_before(told, 3), "role"), "member") == 0 &&
              strcmp(hall_text(line_before(told, 3), "label"), "Ben") == 0 &&
              hall_number(line_before(told, 3), "from") == 1,
          "which role, of whom, from when on");
    check_line(line_before(told, 2), "set apart", &hall.ben, "hub");
    CHECK(hall_number(line_before(told, 2), "change") == 1 &&
              strstr(hall_text(line_before(told, 2), "reason"), "role"),
          "which change, and why");
    check_line(line_before(told, 1), "revoked", &hall.ann, "admin");
    check_line(line_before(told, 0), "revoked", &hall.ann, "admin");
    CHECK(hall_number(line_before(told, 0), "withdraws") ==
              hall_number(line_before(told, 1), "decision"),
          "the revocation is withdrawn");
    cJSON_Delete(told);
    hall_close(&hall);
}

static void whoever_asked_is_named_though_others_wrote_the_record(void)
{
    struct hall hall;
    struct peer second;
    uint8_t id[ID_SIZE];
    hall_open(&hall, "");
    hall_enrol(&hall, &second, "coordinator", "Second");
    hall_push_membership(&hall.coordinator, &hall.ann, NULL, ROLE_MEMBER, -1);
    peer_last_id(&hall.coordinator, id);
    hall_push_membership(&second, &hall.ann, id, ROLE_NONE, 1);
    hall_push_membership(&hall.coordinator, &hall.ann, id, ROLE_NONE, 0);
    cJSON *told = audit(&hall, NULL, NULL);
    check_line(line_before(told, 2), "role", &hall.ann, hall_hex(&hall.coordinator));
    check_line(line_before(told, 1), "revoked", &hall.ann, hall_hex(&second));
    CHECK(strcmp(hall_text(line_before(told, 1), "asked_label"), "Second") == 0, "by its label");
    check_line(line_before(told, 0), "revoked", &hall.ann, hall_hex(&hall.coordinator));
    CHECK(hall_has_said(&hall, ": role member from its change 1 on") &&
              hall_has_said(&hall, ": revoked from its change 1 on") &&
              hall_has_said(&hall, ": its revocation was withdrawn"),
          "the daemon's log has a line for each");
    cJSON_Delete(told);
    hall_close(&hall);
}

static int count(struct hall *hall, const char *since)
{
    cJSON *told = audit(hall, "--since", since);
    int n = cJSON_GetArraySize(lines_of(told));
    cJSON_Delete(told);
    return n;
}

static void pages_begin_where_they_are_asked_to_and_say_where_to_go_on(void)
{
    struct hall hall;
    char next[16];
    hall_open(&hall, "");
    cJSON *told = audit(&hall, "--limit", "2");
    CHECK(cJSON_GetArraySize(lines_of(told)) == 2 && hall_number(told, "next") == -1,
          "the last two");
    check_line(line_before(told, 0), "enrolled", &hall.ben, "invitation");
    cJSON_Delete(told);
    told = hall_ctl(&hall,
                    (const char *[]){"audit", "COMMUNITY", "--since", "1", "--limit", "3", NULL});
    CHECK(cJSON_GetArraySize(lines_of(told)) == 3 && hall_number(told, "next") == 4, "the first");
    (void)snprintf(next, sizeof next, "%.0f", hall_number(told, "next"));
    CHECK(count(&hall, next) == 1 && count(&hall, "5") == 0, "and the rest");
    CHECK(count(&hall, "1h") == 4 && count(&hall, "2020-01-01") == 4, "since then");
    CHECK(count(&hall, "2100-01-01 12:00") == 0, "nothing is decided yet");
    cJSON_Delete(told);
    hall_close(&hall);
}

static void neither_audit_nor_log_tells_words_and_the_log_no_labels(void)
{
    struct hall hall;
    hall_open(&hall, "");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", "Ben", "member", NULL});
    hall_push_need(&hall.ben, "quizzicalmoth");
    hall_push_need(&hall.ann, "quizzicalmoth");
    hall_do(&hall, (const char *[]){"erase", "COMMUNITY", "--change", "Ann:1", NULL});
    cJSON *told = audit(&hall, NULL, NULL);
    check_line(line_before(told, 0), "erased", &hall.ann, "admin or hub");
    char *text = cJSON_Print(told);
    char *people = hall_print(&hall, (const char *[]){"audit", "COMMUNITY", NULL});
    CHECK(!strstr(text, "moth") && !strstr(people, "moth"), "words are in the audit");
    CHECK(strstr(people, "(Ben) change 1: the role does not allow it; by hub\n"), "%s", people);
    CHECK(!hall_has_said(&hall, "moth") && !hall_has_said(&hall, "Ben"), "in the log");
    free(people);
    cJSON_free(text);
    cJSON_Delete(told);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"all_that_was_decided_is_there_newest_last", all_that_was_decided_is_there_newest_last},
        {"whoever_asked_is_named_though_others_wrote_the_record",
         whoever_asked_is_named_though_others_wrote_the_record},
        {"pages_begin_where_they_are_asked_to_and_say_where_to_go_on",
         pages_begin_where_they_are_asked_to_and_say_where_to_go_on},
        {"neither_audit_nor_log_tells_words_and_the_log_no_labels",
         neither_audit_nor_log_tells_words_and_the_log_no_labels},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
