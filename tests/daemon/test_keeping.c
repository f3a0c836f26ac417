// Words that may be kept no longer are erased by the hub itself: while it runs, and as it starts.

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/schema.h"
#include "storage/log.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

enum { LOOK_MS = 60000, PATIENCE_MS = 60000, START_MS = 45000 };

static const char words[] = "quizzicalmoth";

static int64_t clock_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

// --- what is said ---

// A need's words as a change of the record (NULL: a new one), with the time until which it may be
// kept (0: says nothing of that).
static void push_need(struct peer *peer, const uint8_t *id, const char *text, int64_t until)
{
    struct buf fields = {0};
    if (until)
        wire_put_uint(&fields, FIELD_KEEP_UNTIL, (uint64_t)until);
    if (text)
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text(text));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    if (id)
        change.envelope.id = bytes_of(id, ID_SIZE);
    peer_push(peer, &change, 1);
    buf_done(&fields);
}

static void get(const struct peer *peer, const uint8_t id[ID_SIZE], struct post_answer *answer)
{
    struct get_request request = {KIND_NEED, bytes_of(id, ID_SIZE)};
    struct buf body = {0};
    message_encode(&get_request_message, &request, &body);
    post_send(peer->port,
              &(struct post){.path = "/folkmoot.v1.RecordService/Get",
                             .token = peer->token,
                             .body = buf_bytes(&body)},
              answer);
    buf_done(&body);
}

// Whether the hub still gives these words to a device that asks for the record, which may be gone
// altogether. An answer that is on its way while something is erased is cut off: it is asked again.
static bool is_served(const struct peer *peer, const uint8_t id[ID_SIZE], const char *text)
{
    struct post_answer answer;
    get(peer, id, &answer);
    for (int i = 0; i < 3 && answer.status == 0; i++) {
        post_done(&answer);
        get(peer, id, &answer);
    }
    CHECK(answer.status == 200 || answer.status == 404, "Get: %ld %s (%s)", answer.status,
          answer.message, curl_easy_strerror(answer.curl));
    bool is = answer.body.n && memmem(answer.body.p, answer.body.n, text, strlen(text));
    post_done(&answer);
    return is;
}

// --- what the files hold ---

static const char *sought;
static unsigned files, found;

static int search_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F || stat->st_size == 0)
        return 0;
    size_t size = (size_t)stat->st_size;
    char *text = malloc(size);
    FILE *file = fopen(path, "re");
    CHECK(text && file, "%s", path);
    size_t n = fread(text, 1, size, file);
    files++;
    found += memmem(text, n, sought, strlen(sought)) != NULL;
    (void)fclose(file);
    free(text);
    return 0;
}

// With the hub stopped or in between two of its writes.
static void check_in_no_file(const struct hall *hall)
{
    sought = words;
    files = found = 0;
    CHECK(nftw(hall->hub.dir, search_file, 16, FTW_PHYS) == 0, "%s", hall->hub.dir);
    CHECK(files > 3 && found == 0, "the words stand in %u of %u files", found, files);
}

struct form {
    const struct peer *peer;
    uint32_t seq;
    enum log_form form;
};

static void check_form(struct txn *txn, uint32_t community, void *arg)
{
    const struct form *form = arg;
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    CHECK(log_find(txn, community, form->peer->handle, form->seq, &position) == OK &&
              log_get(txn, community, position, &entry) == OK,
          "the change is not in the log");
    CHECK(entry.form == form->form, "change %u has the form %d", form->seq, (int)entry.form);
    bool has_body = log_get_body(txn, community, position, &body) == OK;
    CHECK(has_body == (form->form == LOG_WHOLE), "its words can%s be read", has_body ? "" : "not");
}

static void check_log(struct hall *hall, const struct peer *peer, uint32_t seq, enum log_form form)
{
    hall_edit(hall, check_form, &(struct form){peer, seq, form});
}

// --- waiting ---

static void wait_until_gone(struct hall *hall, const uint8_t id[ID_SIZE], int ms)
{
    int64_t end = check_now_ms() + (int64_t)ms * check_slowness();
    while (is_served(&hall->ben, id, words)) {
        CHECK(check_now_ms() < end, "nothing was erased");
        check_sleep_ms(100);
    }
}

// --- what is promised ---

static void a_running_hub_erases_what_may_be_kept_no_longer(void)
{
    struct hall hall;
    uint8_t due[ID_SIZE], own[ID_SIZE], later[ID_SIZE], always[ID_SIZE];
    hall_open(&hall, "");
    push_need(&hall.ann, NULL, words, 0);
    peer_last_id(&hall.ann, due);
    push_need(&hall.ann, NULL, "stays for ever", 0);
    peer_last_id(&hall.ann, always);
    push_need(&hall.ann, NULL, "stays for a day", clock_ms() + INT64_C(86400000));
    peer_last_id(&hall.ann, later);
    push_need(&hall.ann, NULL, "said by Ann", 0);
    peer_last_id(&hall.ann, own);
    push_need(&hall.ben, due, "added by Ben", 0);
    push_need(&hall.ben, own, "said by Ben", 0);
    check_log(&hall, &hall.ann, 1, LOG_WHOLE);
    CHECK(is_served(&hall.ben, due, words) && is_served(&hall.ann, due, "added by Ben"), "served");
    push_need(&hall.coordinator, due, NULL, clock_ms() - 1000);
    push_need(&hall.ann, own, NULL, clock_ms() - 1000);
    wait_until_gone(&hall, due, LOOK_MS + PATIENCE_MS);
    CHECK(!is_served(&hall.ann, due, "added by Ben"), "by a coordinator's right, all of it");
    CHECK(!is_served(&hall.ann, own, "said by Ann"), "by a volunteer's, their own");
    CHECK(is_served(&hall.ann, own, "said by Ben"), "and not what others said");
    CHECK(is_served(&hall.ben, later, "stays for a day"), "not before its time");
    CHECK(is_served(&hall.ben, always, "stays for ever"), "nor what says nothing of it");
    CHECK(hall_has_said(&hall, "changes were erased"), "a line of the log");
    check_in_no_file(&hall);
    check_log(&hall, &hall.ann, 1, LOG_HUSK);
    check_log(&hall, &hall.ann, 2, LOG_WHOLE);
    check_log(&hall, &hall.ben, 1, LOG_HUSK);
    check_in_no_file(&hall);
    hall_close(&hall);
}

// Shorter than a minute, after which it looks anyway.
static void a_hub_that_was_away_erases_as_it_starts(void)
{
    struct hall hall;
    uint8_t due[ID_SIZE];
    hall_open(&hall, "");
    push_need(&hall.ann, NULL, words, 0);
    peer_last_id(&hall.ann, due);
    CHECK(is_served(&hall.ben, due, words), "it is served");
    push_need(&hall.coordinator, due, NULL, clock_ms() - 1000);
    hub_stop(&hall.hub);
    hub_start(&hall.hub);
    wait_until_gone(&hall, due, START_MS / (int)check_slowness());
    check_log(&hall, &hall.ann, 1, LOG_HUSK);
    cJSON *told = hall_ctl(&hall, (const char *[]){"audit", "COMMUNITY", NULL});
    char *text = cJSON_Print(told);
    CHECK(strstr(text, "\"erased\"") && !strstr(text, words), "the audit: %s", text);
    check_in_no_file(&hall);
    cJSON_free(text);
    cJSON_Delete(told);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_hub_that_was_away_erases_as_it_starts", a_hub_that_was_away_erases_as_it_starts},
        {"a_running_hub_erases_what_may_be_kept_no_longer",
         a_running_hub_erases_what_may_be_kept_no_longer},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
