// A community that has been alive for a while: needs in conflict, voices, joined persons, contacts,
// an erasure, a change that was set apart, and on each phone something that was not sent yet.

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "storage/device.h"
#include "tests/rot/rot.h"

enum { COORDINATOR, PHONE, OTHER, PHONES };
enum { NEEDS = 8, NEEDS_LATE = 4 };

static void must(enum folkmoot_code code)
{
    assert(code == FOLKMOOT_OK);
    (void)code;
}

static struct folkmoot *fm_of(struct town *town, size_t i)
{
    return town->world.phones[i].fm;
}

static void say(struct town *town, size_t who, const uint8_t *need, uint8_t person,
                const char *stance)
{
    uint8_t id[16] = {person, 7};
    must(folkmoot_voice(fm_of(town, who), "need", need, id, stance, "because of the rain", "en", 0,
                        NULL));
}

static void add_needs(struct town *town, uint8_t needs[][16], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char title[40];
        snprintf(title, sizeof title, "need %zu of this town", i);
        phone_add_need(&town->world.phones[i % PHONES], title, needs[i]);
    }
    world_sync_all(&town->world);
    for (size_t i = 0; i < n; i++) {
        for (uint8_t person = 1; person < 6; person++)
            say(town, (i + person) % PHONES, needs[i], person,
                person % 3 == 0   ? "against"
                : person % 3 == 1 ? "for"
                                  : "unsure");
    }
    world_sync_all(&town->world);
}

static void disagree(struct town *town, const uint8_t *need)
{
    must(phone_put(&town->world.phones[PHONE], "need", need, "title", "a bench in the shade"));
    town->world.phones[OTHER].now += 60000;
    must(phone_put(&town->world.phones[OTHER], "need", need, "title", "a bench and a roof"));
    world_sync_all(&town->world);
}

static void add_contact(struct town *town, size_t who)
{
    struct folkmoot_put puts[] = {{"name", "Ana of the market"}, {"phone", "+261 20 555 01"}};
    uint8_t id[16];
    enum folkmoot_code code = folkmoot_add(fm_of(town, who), "contact", puts, 1, 0, id, NULL);
    if (code)
        must(folkmoot_add(fm_of(town, who), "contact", puts + 1, 1, 0, id, NULL));
}

struct granting {
    uint8_t handle[HANDLE_SIZE];
    enum role role;
};

static enum err grant(struct hub_decider *decider, void *arg)
{
    const struct granting *granting = arg;
    return hub_grant(decider, NULL, granting->handle, granting->role);
}

// For a while the phone is a member's, who may give no one else's voice.
static void be_refused(struct town *town, const uint8_t *need)
{
    struct folkmoot_community own;
    struct granting granting = {.role = ROLE_MEMBER};
    must(folkmoot_community_at(fm_of(town, PHONE), 0, &own));
    memcpy(granting.handle, own.device, HANDLE_SIZE);
    enum err err = hub_double_decide(town->world.hub, grant, &granting);
    assert(!err);
    say(town, PHONE, need, 99, "for");
    world_sync_all(&town->world);
    granting.role = ROLE_VOLUNTEER;
    err = hub_double_decide(town->world.hub, grant, &granting);
    assert(!err);
    world_sync_all(&town->world);
}

// What a hub notes by itself of a device.
static void note_contact(struct town *town)
{
    struct folkmoot_community own;
    struct contact contact = {.last_sync = WORLD_NOW, .bytes_in = 1000, .bytes_out = 2000};
    must(folkmoot_community_at(fm_of(town, PHONE), 0, &own));
    struct txn *txn = txn_begin_write(hub_double_store(town->world.hub));
    contact_put(txn, 1, own.device, &contact);
    enum err err = txn_commit(&txn);
    assert(!err);
}

static void grow_older(struct town *town)
{
    uint8_t needs[NEEDS][16];
    uint32_t erased;
    uint8_t a[16] = {1, 7};
    uint8_t b[16] = {4, 7};
    add_needs(town, needs, NEEDS);
    disagree(town, needs[0]);
    disagree(town, needs[1]);
    add_contact(town, PHONE);
    add_contact(town, OTHER);
    must(folkmoot_same(fm_of(town, COORDINATOR), "person", a, b, true, 0, NULL));
    must(folkmoot_same(fm_of(town, COORDINATOR), "need", needs[2], needs[3], true, 0, NULL));
    be_refused(town, needs[2]);
    must(folkmoot_erase(fm_of(town, COORDINATOR), "need", needs[4], false, &erased, NULL));
    must(folkmoot_erase(fm_of(town, PHONE), "need", needs[7], true, &erased, NULL));
    must(phone_put(&town->world.phones[COORDINATOR], "need", needs[5], "keep_until", "2031-01-01"));
    note_contact(town);
    must(folkmoot_name(fm_of(town, PHONE), "row 17", "need", needs[0], NULL));
    world_sync_all(&town->world);
}

static void copy_all(struct town *town, const char *to)
{
    char path[ROT_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/hub", town->world.path);
    char there[ROT_PATH_MAX + 16];
    snprintf(there, sizeof there, "%s/hub", to);
    files_copy(path, there);
    snprintf(there, sizeof there, "%s/phone", to);
    files_copy(town->world.phones[PHONE].path, there);
}

// What the coordinator's phone would send now.
static void prepare_request(struct town *town)
{
    struct hub_answer answer = {.status = 0};
    uint8_t need[16];
    phone_add_need(&town->world.phones[COORDINATOR], "said before the damage", need);
    must(folkmoot_sync(fm_of(town, COORDINATOR), &town->asking, NULL));
    enum folkmoot_next next = folkmoot_session_next(town->asking, &town->asked);
    while (next == FOLKMOOT_SEND && !strstr(town->asked.path, "/Sync")) {
        hub_double_serve(town->world.hub, &town->asked, &answer);
        folkmoot_session_answer(town->asking, answer.status, hub_double_tls_key(town->world.hub));
        folkmoot_session_receive(town->asking, answer.body.p, answer.body.n);
        folkmoot_session_finish(town->asking, true);
        buf_reset(&answer.body);
        next = folkmoot_session_next(town->asking, &town->asked);
    }
    assert(next == FOLKMOOT_SEND);
    buf_done(&answer.body);
    enum err err = text_unbase64url(bytes_of_text(town->asked.token), town->token, TOKEN_SIZE);
    assert(!err);
}

void town_make(struct town *town, const char *base)
{
    uint8_t needs[NEEDS_LATE][16];
    world_open(&town->world, PHONES);
    snprintf(town->now, sizeof town->now, "%s/now", base);
    snprintf(town->old, sizeof town->old, "%s/old", base);
    snprintf(town->here, sizeof town->here, "%s/here", base);
    grow_older(town);
    copy_all(town, town->old);
    add_needs(town, needs, NEEDS_LATE);
    disagree(town, needs[0]);
    prepare_request(town);
    // Not sent yet.
    phone_add_need(&town->world.phones[PHONE], "a need that waits", needs[1]);
    say(town, PHONE, needs[2], 2, "against");
    hub_double_close(town->world.hub);
    folkmoot_close(&town->world.phones[PHONE].fm);
    copy_all(town, town->now);
}

void town_remove(struct town *town)
{
    folkmoot_session_done(&town->asking);
    world_close(&town->world);
}

static int64_t now(void *arg)
{
    return WORLD_NOW + 86400000 + (int64_t)++ * (uint64_t *)arg;
}

static void draw(void *arg, void *out, size_t n)
{
    uint64_t *drawn = arg;
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)dice_next(drawn);
}

struct folkmoot_host town_host(uint64_t *drawn)
{
    return (struct folkmoot_host){now, draw, drawn};
}
