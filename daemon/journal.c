#include "daemon/journal.h"

#include "base/text.h"
#include "daemon/decisions.h"
#include "daemon/report.h"

enum { LINES_MAX = 100, READ_MAX = 400 }; // decisions, for the loop waits for it

// What is many is counted.
struct telling {
    size_t lines;
    size_t erased;
    size_t released;
};

static void tell_one(const char *device, const struct decision *decision)
{
    struct report_about about = {.device = device};
    if (decision->what == DECISION_ROLE) {
        about.event = "role";
        report_event(REPORT_INFO, &about, "device %s: role %s from its change %u on", device,
                     role_name((enum role)decision->role), decision->from);
    } else if (decision->what == DECISION_REVOKED && decision->withdraws) {
        about.event = "reinstated";
        report_event(REPORT_INFO, &about, "device %s: its revocation was withdrawn", device);
    } else if (decision->what == DECISION_REVOKED) {
        about.event = "revoked";
        report_event(REPORT_INFO, &about, "device %s: revoked from its change %u on", device,
                     decision->from);
    } else {
        about.event = "fork";
        report_event(REPORT_WARNING, &about,
                     "device %s: a fork, another branch ends at its change %u", device,
                     decision->change);
    }
}

static bool tell(const struct decision *decision, void *arg)
{
    struct telling *telling = arg;
    char device[2 * HANDLE_SIZE + 1];
    telling->erased += decision->what == DECISION_ERASED && !decision->withdraws;
    telling->released += decision->what == DECISION_SET_APART && decision->withdraws;
    if (decision->what != DECISION_ROLE && decision->what != DECISION_REVOKED &&
        decision->what != DECISION_FORK)
        return true;
    text_hex(BYTES(decision->device), device);
    tell_one(device, decision);
    return ++telling->lines < LINES_MAX;
}

static enum err tell_all(struct gate *gate, uint32_t community, const struct hub_effects *effects,
                         uint32_t *seq, struct telling *telling)
{
    struct community own;
    struct txn *txn = gate_begin_read(gate);
    if (!txn)
        return ERR_BUSY;
    enum err err = community_get_number(txn, community, &own);
    for (; !err && *seq <= effects->last && *seq - effects->first < READ_MAX &&
           telling->lines < LINES_MAX;
         ++*seq)
        err = decisions_read(txn, &own, *seq, tell, telling);
    gate_end_read(gate, &txn);
    return err;
}

void journal_put(struct gate *gate, uint32_t community, const struct hub_effects *effects)
{
    struct telling telling = {0};
    uint32_t seq = effects->first;
    if (effects->last == 0)
        return;
    enum err err = tell_all(gate, community, effects, &seq, &telling);
    bool is_more = !err && seq <= effects->last;
    const char *at_least = is_more ? "at least " : "";
    if (telling.erased > 0)
        report_event(REPORT_INFO, &(struct report_about){.event = "erased"},
                     "the words of %s%zu changes were erased", at_least, telling.erased);
    if (telling.released > 0)
        report_event(REPORT_INFO, &(struct report_about){.event = "released"},
                     "%s%zu changes that were set apart take effect", at_least, telling.released);
    if (is_more)
        report_put(REPORT_INFO, "and more: see folkmootctl audit");
    if (err)
        report_put(REPORT_WARNING, "what was decided could not be read: %s", err_text(err));
}
