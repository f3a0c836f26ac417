#include "tests/sync/world.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sign.h"
#include "proto/change.h"
#include "storage/table.h"
#include "sync/author.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/merge.h"
#include "sync/rejoin.h"
#include "tests/sync/anew.h"

_Noreturn void world_end(const char *what)
{
    fprintf(stderr, "world: %s\n", what);
    abort();
}

// --- places ---

static void path_of(const struct world *world, const char *name, char path[WORLD_PATH_MAX])
{
    int n = snprintf(path, WORLD_PATH_MAX, "%s/%s", world->folder, name);
    world_must(n > 0 && n < WORLD_PATH_MAX, "a path is too long");
}

static struct store *open_store(const struct world *world, const char *name)
{
    char path[WORLD_PATH_MAX];
    struct store *store = NULL;
    bool is_hub = strcmp(name, "hub") == 0;
    struct store_options options = {.map_size = 256 << 20, .keeps_orders = is_hub};
    struct fault fault = {0};
    path_of(world, name, path);
    enum err err = store_open(path, &options, &store, &fault);
    world_must(!err, fault.text);
    return store;
}

static void device_name(size_t device, char name[32])
{
    snprintf(name, 32, "device%zu", device);
}

void world_open(struct world *world, size_t devices)
{
    bool in_memory = access("/dev/shm", W_OK) == 0;
    *world = (struct world){.devices_n = devices};
    world_must(devices <= WORLD_DEVICES_MAX, "too many devices");
    snprintf(world->folder, sizeof world->folder, "%s/folkmoot-world-XXXXXX",
             in_memory ? "/dev/shm" : "/tmp");
    world_must(mkdtemp(world->folder) != NULL, "no folder could be made");
    world->hub = open_store(world, "hub");
    for (size_t i = 0; i < devices; i++) {
        char name[32];
        device_name(i, name);
        world->devices[i].store = open_store(world, name);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void world_close(struct world *world)
{
    store_close(&world->hub);
    for (size_t i = 0; i < world->devices_n; i++)
        store_close(&world->devices[i].store);
    world_must(nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0,
               "the folder could not be removed");
}

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rbe");
    FILE *out = fopen(to, "wbe");
    world_must(in && out, "a file could not be copied");
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        world_must(fwrite(block, 1, n, out) == n, "a file could not be copied");
    fclose(in);
    world_must(fclose(out) == 0, "a file could not be copied");
}

// Both stores must be closed.
static void copy_store(const struct world *world, const char *from, const char *to)
{
    char from_path[WORLD_PATH_MAX];
    char to_path[WORLD_PATH_MAX];
    char from_file[WORLD_PATH_MAX + 16];
    char to_file[WORLD_PATH_MAX + 16];
    path_of(world, from, from_path);
    path_of(world, to, to_path);
    (void)mkdir(to_path, 0700);
    snprintf(from_file, sizeof from_file, "%s/data.mdb", from_path);
    snprintf(to_file, sizeof to_file, "%s/data.mdb", to_path);
    copy_file(from_file, to_file);
}

// The keys of its bodies, too: what a backup of the database alone lacks.
static void copy_keys(const struct world *world, const char *from, const char *to)
{
    char from_path[WORLD_PATH_MAX];
    char to_path[WORLD_PATH_MAX];
    char from_file[2 * WORLD_PATH_MAX];
    char to_file[2 * WORLD_PATH_MAX];
    path_of(world, from, from_path);
    path_of(world, to, to_path);
    snprintf(from_file, sizeof from_file, "%s/keys", from_path);
    snprintf(to_file, sizeof to_file, "%s/keys", to_path);
    DIR *dir = opendir(from_file);
    if (!dir)
        return;
    (void)mkdir(to_file, 0700);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from_file, sizeof from_file, "%s/keys/%s", from_path, entry->d_name);
        snprintf(to_file, sizeof to_file, "%s/keys/%s", to_path, entry->d_name);
        copy_file(from_file, to_file);
    }
    (void)closedir(dir);
}

void world_save_hub(struct world *world, const char *name)
{
    store_close(&world->hub);
    copy_store(world, "hub", name);
    world->hub = open_store(world, "hub");
}

void world_restore_hub(struct world *world, const char *name)
{
    store_close(&world->hub);
    copy_store(world, name, "hub");
    world->hub = open_store(world, "hub");
}

void world_restore_hub_anew(struct world *world, const char *name)
{
    struct community community;
    struct hub_found_random found;
    uint8_t salts[32];
    char orders[WORLD_PATH_MAX];
    char kept[WORLD_PATH_MAX];
    path_of(world, "hub/orders", orders);
    path_of(world, "orders", kept);
    bool is_noted = rename(orders, kept) == 0;
    world_restore_hub(world, name);
    world_must(!is_noted || rename(kept, orders) == 0, "the orders are not kept");
    dice_bytes(&world->dice, &found, sizeof found);
    dice_bytes(&world->dice, salts, sizeof salts);
    world_must(!anew_begin(world->hub, world->community, world->identity_seed, world->now, &found,
                           salts, &community),
               "the hub's chain did not begin anew");
}

size_t world_clone(struct world *world, size_t device)
{
    char from[32];
    char to[32];
    size_t copy = world->devices_n++;
    world_must(copy < WORLD_DEVICES_MAX, "too many devices");
    device_name(device, from);
    device_name(copy, to);
    store_close(&world->devices[device].store);
    copy_store(world, from, to);
    copy_keys(world, from, to);
    world->devices[device].store = open_store(world, from);
    world->devices[copy] = world->devices[device];
    world->devices[copy].store = open_store(world, to);
    return copy;
}

// --- founding and joining ---

static void found(struct world *world)
{
    struct hub_found_random random;
    struct community community;
    struct fault fault = {0};
    dice_bytes(&world->dice, &random, sizeof random);
    dice_bytes(&world->dice, world->identity_seed, sizeof world->identity_seed);
    dice_bytes(&world->dice, world->challenge_secret, sizeof world->challenge_secret);
    world_must(!sign_public_key(world->identity_seed, world->identity_key), "no identity key");
    struct txn *txn = txn_begin_write(world->hub);
    enum err err = hub_found(txn, world->identity_seed, bytes_of_text("Dale"), world->now, &random,
                             &community, &fault);
    world_must(!err, fault.text);
    world_must(!txn_commit(&txn), "founding was not committed");
    world->community = community.number;
    memcpy(world->id, community.id, COMMUNITY_SIZE);
}

// previous_seed: of the key that it had before; NULL: none.
static void ask_to_enrol(struct world *world, struct world_device *device,
                         const uint8_t *previous_seed, struct txn *txn)
{
    uint8_t key[KEY_SIZE];
    uint8_t previous_key[KEY_SIZE];
    uint8_t previous_signature[SIGN_SIZE];
    uint8_t code[CODE_SIZE];
    uint8_t hash[HASH_SIZE];
    uint8_t challenge[16];
    uint8_t random[32];
    uint8_t signature[SIGN_SIZE];
    int64_t expires = world->now + 60000;
    struct buf message BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct community community;
    struct admission admission;
    arena_init(&arena, 1 << 20);
    dice_bytes(&world->dice, code, sizeof code);
    dice_bytes(&world->dice, random, sizeof random);
    world_must(!sign_public_key(device->seed, key), "no key");
    world_must(!community_get_number(txn, world->community, &community), "no community");
    world_must(
        !hub_invite(txn, &community,
                    &(struct hub_invitation){device->role, bytes_of_text("phone"), expires, 1},
                    code, NULL),
        "not invited");
    digest_invitation(code, hash);
    hub_challenge(world->challenge_secret, expires, challenge);
    struct enrol_transcript transcript = {PURPOSE_ENROL, world->identity_key, world->id, key,
                                          hash,          BYTES(challenge),    expires};
    digest_enrol_transcript(&transcript, &message);
    world_must(!message.err && !sign_make(device->seed, buf_bytes(&message), signature),
               "unsigned");
    struct enrol_request request = {.community = BYTES(world->id),
                                    .device_key = BYTES(key),
                                    .invitation = BYTES(code),
                                    .challenge = BYTES(challenge),
                                    .expires = expires,
                                    .signature = BYTES(signature)};
    if (previous_seed) {
        world_must(!sign_public_key(previous_seed, previous_key), "no key");
        transcript.purpose = PURPOSE_SUCCEED;
        buf_reset(&message);
        digest_enrol_transcript(&transcript, &message);
        world_must(!sign_make(previous_seed, buf_bytes(&message), previous_signature), "unsigned");
        request.previous_key = BYTES(previous_key);
        request.previous_signature = BYTES(previous_signature);
    }
    struct hub_admitting admitting = {world->identity_key, world->challenge_secret, world->now,
                                      device->token, random};
    struct fault fault = {0};
    enum err err = hub_enrol(txn, &admitting, &request, &arena, &admission, &fault);
    world_must(!err, fault.text);
    digest_handle(world->id, key, device->handle);
    memset(device->first, 0, HANDLE_SIZE);
    if (admission.first_device.n)
        memcpy(device->first, admission.first_device.p, HANDLE_SIZE);
}

// What an app stores when it has joined.
static void settle_in(struct world *world, struct world_device *device)
{
    struct community community = {.name_n = 4, .name = "Dale"};
    struct device own = {.role = device->role};
    memcpy(community.id, world->id, COMMUNITY_SIZE);
    memcpy(own.handle, device->handle, HANDLE_SIZE);
    world_must(!sign_public_key(device->seed, own.key), "no key");
    struct txn *txn = txn_begin_write(device->store);
    community_put(txn, &community);
    device_put(txn, community.number, &own);
    struct secret secret = {.address = "hub.test:1"};
    memcpy(secret.seed, device->seed, SIGN_SEED_SIZE);
    memcpy(secret.hub_key, world->identity_key, KEY_SIZE);
    secret_put(txn, community.number, &secret);
    world_must(!txn_commit(&txn), "joining was not committed");
    device->community = community.number;
}

static void admit(struct world *world, struct world_device *device, enum role role,
                  const uint8_t *previous_seed)
{
    device->role = role;
    dice_bytes(&world->dice, device->seed, sizeof device->seed);
    dice_bytes(&world->dice, device->token, sizeof device->token);
    struct txn *txn = txn_begin_write(world->hub);
    ask_to_enrol(world, device, previous_seed, txn);
    world_must(!txn_commit(&txn), "the enrolment was not committed");
}

void world_enrol(struct world *world, size_t index, enum role role)
{
    struct world_device *device = &world->devices[index];
    device->skew = 0;
    admit(world, device, role, NULL);
    settle_in(world, device);
}

void world_enrol_again(struct world *world, size_t index, enum role role)
{
    struct world_device *device = &world->devices[index];
    device->role = role;
    struct txn *txn = txn_begin_write(world->hub);
    ask_to_enrol(world, device, NULL, txn);
    world_must(!txn_commit(&txn), "the enrolment was not committed");
}

void world_rejoin(struct world *world, size_t index, enum role role)
{
    struct world_device *device = &world->devices[index];
    struct community community;
    struct device own;
    uint8_t previous_seed[SIGN_SEED_SIZE];
    struct txn *txn = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    world_must(!rejoin_begin(txn, &community, &own), "not begun anew");
    memcpy(previous_seed, device->seed, sizeof previous_seed);
    admit(world, device, role, previous_seed);
    own = (struct device){.role = ROLE_NONE};
    memcpy(own.first, device->first, HANDLE_SIZE);
    memcpy(own.handle, device->handle, HANDLE_SIZE);
    world_must(!sign_public_key(device->seed, own.key), "no key");
    device_put(txn, community.number, &own);
    struct secret secret;
    world_must(!secret_get(txn, community.number, &secret), "no secret");
    memcpy(secret.seed, device->seed, SIGN_SEED_SIZE);
    secret_put(txn, community.number, &secret);
    world_must(!txn_commit(&txn), "joining anew was not committed");
}

size_t world_join(struct world *world, enum role role)
{
    char name[32];
    size_t index = world->devices_n++;
    world_must(index < WORLD_DEVICES_MAX, "too many devices");
    device_name(index, name);
    world->devices[index] = (struct world_device){.store = open_store(world, name)};
    world_enrol(world, index, role);
    return index;
}

void world_begin(struct world *world, uint64_t seed)
{
    world->dice.state = seed;
    world->now = 1700000000000;
    found(world);
    for (size_t i = 0; i < world->devices_n; i++)
        world_enrol(world, i, i == 0 ? ROLE_COORDINATOR : ROLE_VOLUNTEER);
}

// --- who is who ---

void world_self(struct txn *txn, const struct world_device *device, struct community *community,
                struct device *own)
{
    world_must(!community_get_number(txn, device->community, community), "no community");
    world_must(!device_get(txn, device->community, device->handle, own), "no device");
}

uint64_t world_log_size(struct world *world)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    world_must(!community_get_number(txn, world->community, &community), "no community");
    return community.size;
}

void world_decide(struct world *world, enum err (*decide)(struct hub_decider *, void *), void *arg)
{
    struct community community;
    struct fault fault = {0};
    uint8_t random[32];
    dice_bytes(&world->dice, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world->hub);
    world_must(!community_get_number(txn, world->community, &community), "no community");
    struct hub_decider decider = {
        .txn = txn, .community = &community, .now = world->now, .random = random, .fault = &fault};
    enum err err = decide(&decider, arg);
    world_must(!err, fault.text[0] ? fault.text : err_text(err));
    world_must(!txn_commit(&txn), "a decision was not committed");
}

struct hub_caller world_caller(struct world *world, size_t device)
{
    struct hub_caller caller;
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    enum err err = hub_authenticate(txn, world->devices[device].token, CALL_SYNC,
                                    &(struct hub_policy){0}, world->now, &caller, &fault);
    world_must(!err, fault.text);
    return caller;
}

// --- writing ---

static void note_change(struct txn *txn, const struct world_device *device,
                        const struct device *own, struct world_change *change)
{
    uint64_t position;
    struct log_entry entry;
    change->seq = own->seq;
    world_must(!log_find(txn, device->community, own->handle, own->seq, &position) &&
                   !log_get(txn, device->community, position, &entry),
               "the change is not in the log");
    change->tag = log_tag(&entry);
}

enum err world_write(struct world *world, size_t index, const struct envelope *envelope,
                     struct bytes fields, struct world_change *change)
{
    struct world_device *device = &world->devices[index];
    struct community community;
    struct device own;
    struct fault fault;
    dice_bytes(&world->dice, change->salt, SALT_SIZE);
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    struct author author = {&community, &own, NULL};
    enum err err =
        author_write(txn, &author, envelope, fields, change->salt, &change->record, &fault);
    if (err)
        return err;
    note_change(txn, device, &own, change);
    world_must(!txn_commit(&txn), "a change was not committed");
    return OK;
}

void world_write_raw(struct world *world, size_t index, struct bytes envelope, struct bytes fields,
                     struct world_change *change)
{
    struct world_device *device = &world->devices[index];
    struct community community;
    struct device own;
    struct log_body body = {.fields = fields};
    uint8_t body_hash[HASH_SIZE];
    dice_bytes(&world->dice, change->salt, SALT_SIZE);
    memcpy(body.salt, change->salt, SALT_SIZE);
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    struct log_entry entry = {.form = LOG_WHOLE, .seq = own.seq + 1, .envelope = envelope};
    memcpy(entry.device, own.handle, HANDLE_SIZE);
    digest_body(body.salt, fields, body_hash);
    digest_leaf(envelope, body_hash, entry.leaf);
    chain_append(txn, &community, &own, &entry, &body);
    chain_store(txn, &community, &own);
    note_change(txn, device, &own, change);
    struct envelope decoded;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 1 << 20);
    if (envelope_decode(envelope, &arena, &decoded, NULL) == OK)
        merge_record(&decoded, own.handle, own.seq, change->tag, &change->record);
    world_must(!txn_commit(&txn), "a change was not committed");
}

// --- dumps ---

static void dump_table(struct txn *txn, enum table table, struct buf *out)
{
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        world_must(!walk.err, "a value is damaged");
        // The count of commits is no state.
        if (table == TABLE_META && bytes_equal(walk.key, bytes_of_text("commit")))
            continue;
        buf_put_u8(out, (uint8_t)table);
        buf_put_be32(out, (uint32_t)walk.key.n);
        buf_put(out, walk.key);
        buf_put_be32(out, (uint32_t)walk.value.n);
        buf_put(out, walk.value);
    }
}

void world_dump(struct store *store, struct buf *out)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    for (int table = 0; table < TABLE_COUNT; table++)
        dump_table(txn, (enum table)table, out);
    world_must(!txn_error(txn) && !out->err, "the store could not be dumped");
}

void world_dump_merge(struct txn *txn, struct buf *out)
{
    dump_table(txn, TABLE_LIVE, out);
    dump_table(txn, TABLE_COVER, out);
    dump_table(txn, TABLE_APART, out);
    world_must(!txn_error(txn) && !out->err, "the store could not be dumped");
}
