// The words of an erased need are found nowhere: not in the hub's files, not in those of any
// device, not after a backup of before is restored, not in an answer. Chains still verify.

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"

// Each word stands nowhere else.
static const char secret[] = "xylophonequarrel umbrafjordling quizzicalmoth";
static const char other[] = "plainwordsthatstay";

// --- searching raw files ---

static const char *sought;
static size_t found;

static void search_bytes(struct bytes bytes)
{
    size_t n = strlen(sought);
    if (bytes.n >= n && memmem(bytes.p, bytes.n, sought, n))
        found++;
}

static int search_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)ftw;
    struct buf buf = {.max = 1U << 30};
    if (type != FTW_F || stat->st_size == 0)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s", path);
    for (;;) {
        uint8_t *room = buf_room(&buf, 1 << 20);
        ssize_t n = room ? read(fd, room, 1 << 20) : -1;
        CHECK(n >= 0, "%s could not be read", path);
        if (n == 0)
            break;
        buf.n += (size_t)n;
    }
    (void)close(fd);
    search_bytes(buf_bytes(&buf));
    buf_done(&buf);
    return 0;
}

// In how many files below the directory this text stands.
static size_t files_with(const char *dir, const char *text)
{
    sought = text;
    found = 0;
    CHECK(nftw(dir, search_file, 16, FTW_PHYS) == 0, "%s could not be searched", dir);
    return found;
}

static void check_nowhere(const char *dir, const char *when)
{
    char words[sizeof secret];
    memcpy(words, secret, sizeof secret);
    CHECK(files_with(dir, secret) == 0, "%s: the words stand in a file", when);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        CHECK(files_with(dir, word) == 0, "%s: \"%s\" stands in a file", when, word);
}

// --- files ---

static void copy_file(const char *from, const char *to)
{
    static char buffer[1 << 16];
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    CHECK(in && out, "%s could not be copied", from);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
        CHECK(fwrite(buffer, 1, n, out) == n, "%s could not be written", to);
    (void)fclose(in);
    CHECK(fclose(out) == 0, "%s could not be written", to);
}

static void copy_database(const struct hub *hub, bool back)
{
    char database[160];
    char backup[160];
    (void)snprintf(database, sizeof database, "%s/state/db/data.mdb", hub->dir);
    (void)snprintf(backup, sizeof backup, "%s/backup.mdb", hub->dir);
    copy_file(back ? backup : database, back ? database : backup);
}

// --- the hub's own chains, read from its files ---

static bool check_chain(const struct device *device, void *arg)
{
    void **args = arg;
    struct txn *txn = args[0];
    const struct community *community = args[1];
    uint8_t head[HASH_SIZE] = {0};
    for (uint32_t seq = 1; seq <= device->seq; seq++) {
        uint64_t position;
        struct log_entry entry;
        struct log_body body;
        uint8_t leaf[HASH_SIZE];
        CHECK(log_find(txn, community->number, device->handle, seq, &position) == OK &&
                  log_get(txn, community->number, position, &entry) == OK,
              "a change is missing");
        if (entry.form == LOG_WHOLE) {
            CHECK(log_get_body(txn, community->number, position, &body) == OK, "words are missing");
            digest_body(body.salt, body.fields, entry.body_hash);
        }
        if (entry.form != LOG_BARE) {
            digest_leaf(entry.envelope, entry.body_hash, leaf);
            CHECK(memcmp(leaf, entry.leaf, HASH_SIZE) == 0, "a leaf does not fit its change");
        }
        digest_head(community->id, device->key, seq, entry.leaf, head);
    }
    CHECK(memcmp(head, device->head, HASH_SIZE) == 0, "a chain does not lead to its head");
    return true;
}

// With the hub stopped.
static void check_chains(const struct hub *hub)
{
    char path[160];
    uint8_t id[COMMUNITY_SIZE];
    struct community community;
    struct store *store = NULL;
    struct fault fault = {0};
    (void)snprintf(path, sizeof path, "%s/state/db", hub->dir);
    CHECK(text_unhex(bytes_of_text(hub->community), id, sizeof id) == OK, "no id");
    CHECK(store_open(path, NULL, &store, &fault) == OK, "%s", fault.text);
    struct txn *txn = txn_begin_read(store);
    CHECK(community_get(txn, id, &community) == OK, "no community");
    device_each(txn, community.number, check_chain, (void *[]){txn, &community});
    CHECK(txn_error(txn) == OK, "the store could not be read");
    txn_abort(&txn);
    store_close(&store);
}

// --- the story ---

enum { COORDINATOR, AUTHOR, OFFLINE, DEVICES };

static void join(struct hub *hub, struct device_host *device, const char *name, const char *role)
{
    char link[HUB_LINK_BYTES];
    device_open(device, hub->dir, name);
    hub_invite(hub, role, link);
    device_must_join(device, link);
    device_must_sync(device);
}

static void sync_each(struct device_host *devices, size_t n)
{
    for (size_t turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < n; i++)
            device_must_sync(&devices[i]);
}

static void ask_for_erasure(struct device_host *coordinator, const uint8_t id[16])
{
    char hex[33];
    char value[48];
    text_hex(bytes_of(id, 16), hex);
    (void)snprintf(value, sizeof value, "need:%s", hex);
    device_add(coordinator, "request", "erase_record", value, NULL);
}

static bool has_need(struct device_host *device, const uint8_t id[16])
{
    struct folkmoot_record record;
    bool has =
        folkmoot_record_get(device->fm, "need", id, FOLKMOOT_BRIEF, &record, NULL) == FOLKMOOT_OK;
    if (has)
        folkmoot_record_done(&record);
    return has;
}

// All that the hub gives to somebody who is new, unpacked.
static void check_answer(struct hub *hub, const char *when)
{
    char link[HUB_LINK_BYTES];
    struct peer peer;
    struct buf request = {0};
    struct post_answer answer = {0};
    hub_invite(hub, "coordinator", link);
    peer_enrol(&peer, hub->port, link);
    struct sync_request everything = {.version = PROTOCOL_VERSION,
                                      .has_answer_max = true,
                                      .answer_max = ANSWER_MAX,
                                      .own_too = true};
    message_encode(&sync_request_message, &everything, &request);
    peer_send(&peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 200 && answer.body.n > 0, "%s: no answer", when);
    sought = other;
    found = 0;
    search_bytes(buf_bytes(&answer.body));
    CHECK(found == 1, "%s: other words are in the answer, in plain", when);
    sought = "xylophone";
    found = 0;
    search_bytes(buf_bytes(&answer.body));
    CHECK(found == 0, "%s: the words are in an answer", when);
    buf_done(&request);
    post_done(&answer);
}

// How many records the hub finds by a word once its index has come to the log's end.
static size_t found_by_searching(struct hub *hub, const char *word, const char *when)
{
    char link[HUB_LINK_BYTES];
    struct peer peer;
    hub_invite(hub, "coordinator", link);
    peer_enrol(&peer, hub->port, link);
    for (int turn = 0; turn < 3000; turn++) {
        struct arena arena ARENA_CLEANUP;
        struct search_request request = {.text = bytes_of_text(word)};
        struct search_response response = {.incomplete = false};
        struct post_answer answer = {0};
        const struct peer_call call = {.port = hub->port,
                                       .path = "/folkmoot.v1.RecordService/Search",
                                       .token = peer.token,
                                       .asked = &search_request_message,
                                       .request = &request,
                                       .told = &search_response_message};
        arena_init(&arena, 1 << 20);
        peer_call(&call, &arena, &response, &answer);
        CHECK(answer.status == 200, "%s: no answer to a search: %s", when, answer.message);
        post_done(&answer);
        if (!response.incomplete)
            return response.records.n;
        (void)usleep(10000);
    }
    CHECK(false, "%s: the index does not come to the log's end", when);
    return 0;
}

static void the_words_of_an_erased_need_are_found_nowhere(void)
{
    struct hub hub;
    struct device_host devices[DEVICES];
    uint8_t need[16];
    hub_open(&hub, "");
    join(&hub, &devices[COORDINATOR], "coordinator", "coordinator");
    join(&hub, &devices[AUTHOR], "author", "volunteer");
    join(&hub, &devices[OFFLINE], "offline", "volunteer");
    device_add(&devices[AUTHOR], "need", "words", secret, need);
    device_add(&devices[AUTHOR], "need", "words", other, NULL);
    sync_each(devices, DEVICES);
    CHECK(has_need(&devices[OFFLINE], need), "who will be offline has it");
    CHECK(found_by_searching(&hub, "umbrafjord", "before") == 1, "the index does not have it");
    hub_stop(&hub);
    copy_database(&hub, false);
    hub_start(&hub);

    ask_for_erasure(&devices[COORDINATOR], need);
    sync_each(devices, OFFLINE);
    CHECK(!has_need(&devices[AUTHOR], need) && !has_need(&devices[COORDINATOR], need),
          "devices that synced have it no more");
    check_answer(&hub, "after the erasure");
    CHECK(found_by_searching(&hub, "umbrafjord", "erased") == 0, "the words are found");
    CHECK(found_by_searching(&hub, other, "erased") == 1, "other words are not found");
    hub_stop(&hub);
    check_nowhere(hub.dir, "after the erasure");
    check_chains(&hub);

    copy_database(&hub, true);
    hub_start(&hub);
    check_answer(&hub, "after the restore");
    CHECK(found_by_searching(&hub, "umbrafjord", "restored") == 0, "the words are found");
    sync_each(devices, DEVICES);
    for (size_t i = 0; i < DEVICES; i++)
        CHECK(!has_need(&devices[i], need), "device %zu has it again", i);
    check_answer(&hub, "at the end");
    for (size_t i = 0; i < DEVICES; i++)
        device_close(&devices[i]);
    hub_stop(&hub);
    check_nowhere(hub.dir, "at the end");
    check_chains(&hub);
    hub_start(&hub);
    hub_close(&hub);
}

static void the_search_finds_what_there_is_to_find(void)
{
    char path[160];
    struct hub hub;
    hub_open(&hub, "");
    (void)snprintf(path, sizeof path, "%s/note", hub.dir);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(secret, file) >= 0 && fclose(file) == 0, "no note");
    CHECK(files_with(hub.dir, secret) == 1, "the words in a file are found");
    CHECK(files_with(hub.dir, "umbrafjordling") == 1, "and each of them");
    CHECK(files_with(hub.dir, "Nettle Valley") >= 1, "what is no secret stands in the database");
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"the_search_finds_what_there_is_to_find", the_search_finds_what_there_is_to_find},
        {"the_words_of_an_erased_need_are_found_nowhere",
         the_words_of_an_erased_need_are_found_nowhere},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
