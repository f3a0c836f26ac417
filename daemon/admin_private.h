#pragma once

// What the admin*.c family shares.

#include "daemon/admin.h"

// A command that waits for the writer.
struct job {
    struct writer_item item;
    struct admin_context *context;
    void (*answered)(void *arg, cJSON *answer);
    void *arg;
    int64_t now;
    char wanted[NAME_MAX_BYTES + 1]; // a community's name or id
    char label[LABEL_MAX + 1];       // of an invitation; which device is meant
    enum role role;
    int64_t expires;
    uint32_t uses;
    uint8_t code[CODE_SIZE];
    struct community community;
    // Of decisions.
    enum err (*decide)(struct job *job, struct hub_decider *decider);
    uint8_t device[HANDLE_SIZE];
    bool has_device;
    struct record_key record; // kind 0: none
    uint32_t seq;
    uint64_t count; // of what was done
    struct hub_effects effects;
};

// A command that only reads, at once.
typedef cJSON *admin_read(struct admin_context *context, const cJSON *request, struct txn *txn);
// Fills a job from the request; its item's run and done, too.
typedef enum err admin_prepare(struct job *job, const cJSON *request, struct fault *fault);

cJSON *admin_error(const char *text);
cJSON *admin_fault(enum err err, const struct fault *fault);
cJSON *admin_ok(void);
void admin_hex(cJSON *object, const char *name, struct bytes bytes);
void admin_number(cJSON *object, const char *name, uint64_t number);
// The text of this name in a request; "" when there is none.
const char *admin_text(const cJSON *request, const char *name);
enum err admin_copy_text(const cJSON *request, const char *name, char *out, size_t size,
                         struct fault *fault) must_check;
struct job *admin_job_of(struct writer_item *item);
// Gives the answer and frees the job.
void admin_end_job(struct job *job, cJSON *answer);

// admin_trust.c
admin_read admin_apart, admin_who_may, admin_rotate_tls;
admin_prepare admin_prepare_role, admin_prepare_revoke, admin_prepare_reinstate,
    admin_prepare_release, admin_prepare_erase, admin_prepare_rotate_tokens;
uint64_t admin_count_apart(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE]);
// admin_devices.c
admin_read admin_devices;
// admin_audit.c
admin_read admin_audit;
// admin_picture.c
admin_read admin_picture;
