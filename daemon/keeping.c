#include "daemon/keeping.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/random.h"
#include "daemon/report.h"

// --- every community ---

struct numbers {
    uint32_t *all;
    size_t n;
    size_t cap;
    bool full;     // memory ran out
    uint32_t only; // 0: all
};

static bool take_number(const struct community *community, void *arg)
{
    struct numbers *numbers = arg;
    if (!community->is_hub || (numbers->only && numbers->only != community->number))
        return true;
    if (numbers->n == numbers->cap) {
        size_t cap = numbers->cap ? 2 * numbers->cap : 16;
        uint32_t *grown = realloc(numbers->all, cap * sizeof *grown);
        numbers->full = !grown;
        if (!grown)
            return false;
        numbers->all = grown;
        numbers->cap = cap;
    }
    numbers->all[numbers->n++] = community->number;
    return true;
}

// Decides in each community, or in one; `each` adds to the decider's effects.
static enum err decide_each(struct txn *txn, uint32_t only, int64_t now,
                            enum err (*each)(struct hub_decider *decider, void *arg), void *arg,
                            struct fault *fault)
{
    struct numbers numbers = {.only = only};
    uint8_t random[32];
    struct community community;
    community_each(txn, take_number, &numbers);
    enum err err = numbers.full ? ERR_NOMEM : txn_error(txn);
    for (size_t i = 0; i < numbers.n && !err; i++) {
        random_fill(random, sizeof random);
        struct hub_decider decider = {
            .txn = txn, .community = &community, .now = now, .random = random, .fault = fault};
        err = community_get_number(txn, numbers.all[i], &community);
        if (!err)
            err = each(&decider, arg);
    }
    free(numbers.all);
    return err;
}

// --- after a restore ---

struct orders {
    struct store_order *all;
    size_t n;
    size_t cap;
    bool full; // memory ran out
    uint32_t imported;
    uint64_t erased;
    bool is_decided; // something was
};

static bool take_order(const struct store_order *order, void *arg)
{
    struct orders *orders = arg;
    if (orders->n == orders->cap) {
        size_t cap = orders->cap ? 2 * orders->cap : 64;
        struct store_order *grown = realloc(orders->all, cap * sizeof *grown);
        orders->full = !grown;
        if (!grown)
            return false;
        orders->all = grown;
        orders->cap = cap;
    }
    orders->all[orders->n++] = *order;
    return true;
}

// Which of them an imported community was told elsewhere, nobody knows.
static void take_as_new(struct orders *orders, const uint8_t community[COMMUNITY_SIZE])
{
    for (size_t i = 0; i < orders->n; i++)
        orders->all[i].is_new |= memcmp(orders->all[i].community, community, COMMUNITY_SIZE) == 0;
}

static enum err decide_again(struct hub_decider *decider, void *arg)
{
    struct orders *orders = arg;
    if (decider->community->number == orders->imported)
        take_as_new(orders, decider->community->id);
    enum err err = hub_erase_again(decider, orders->all, orders->n, &orders->erased);
    if (!err)
        err = hub_roles_again(decider, orders->all, orders->n);
    orders->is_decided |= decider->effects.last > 0;
    return err;
}

static enum err apply(struct gate *gate, int64_t now, struct orders *orders, struct fault *fault)
{
    struct txn *txn = gate_begin_write(gate);
    if (!txn)
        return ERR_BUSY;
    enum err err = decide_each(txn, 0, now, decide_again, orders, fault);
    bool is_news = !err && store_orders_known(txn);
    if (err || !(orders->is_decided || is_news)) {
        gate_abort(gate, &txn);
        return err;
    }
    err = gate_commit(gate, &txn);
    if (!err && orders->is_decided)
        report_event(
            REPORT_WARNING, &(struct report_about){.event = "restored_decisions"},
            "the database was restored: the words of %llu changes were erased again, and roles and "
            "revocations are what they were",
            (unsigned long long)orders->erased);
    return err;
}

enum err keeping_restore(struct gate *gate, uint32_t imported, int64_t now, struct fault *fault)
{
    struct orders orders = {.imported = imported};
    enum err err = gate_orders_each(gate, take_order, &orders);
    if (err == ERR_DAMAGED) {
        report_event(REPORT_ERROR, &(struct report_about){.event = "order_damaged"},
                     "an order to erase is damaged in the file \"orders\": the others "
                     "are followed");
        err = OK;
    }
    if (!err && orders.full)
        err = ERR_NOMEM;
    if (!err && orders.n)
        err = apply(gate, now, &orders, fault);
    free(orders.all);
    if (err && !fault->text[0])
        fault_set(fault, err, "what was erased before could not be erased again: %s",
                  err_text(err));
    return err;
}

struct beginning {
    const uint8_t *identity_seed;
    unsigned n;
};

static enum err begin_anew(struct hub_decider *decider, void *arg)
{
    struct beginning *beginning = arg;
    struct hub_found_random random;
    random_fill(&random, sizeof random);
    enum err err = hub_begin_anew(decider->txn, beginning->identity_seed, decider->now, &random,
                                  decider->community, decider->fault);
    bytes_wipe(&random, sizeof random);
    beginning->n++;
    return err;
}

enum err keeping_begin_anew(struct gate *gate, uint32_t only, const uint8_t *identity_seed,
                            int64_t now, struct fault *fault)
{
    struct beginning beginning = {.identity_seed = identity_seed};
    struct txn *txn = gate_begin_write(gate);
    if (!txn)
        return fault_set(fault, ERR_BUSY, "the database cannot be written");
    enum err err = decide_each(txn, only, now, begin_anew, &beginning, fault);
    if (err)
        gate_abort(gate, &txn);
    else
        err = gate_commit(gate, &txn);
    if (!err)
        report_event(REPORT_WARNING, &(struct report_about){.event = "restored"},
                     "the database is an older copy: the chains of %u communities begin anew, and "
                     "devices give back what is theirs",
                     beginning.n);
    return err ? fault_set(fault, err, "the hub's chain cannot begin anew: %s", err_text(err)) : OK;
}

// --- what is due ---

struct keeping {
    struct writer_item item;
    struct loop *loop;
    struct writer *writer;
    void (*affected)(void *arg, uint32_t community, const struct hub_effects *effects);
    void *arg;
    int64_t now;
    bool is_looking;
    struct touched {
        uint32_t community;
        struct hub_effects effects;
    } * touched; // communities in which something was erased
    size_t touched_n;
};

static struct keeping *keeping_of(struct writer_item *item)
{
    return (struct keeping *)(void *)((char *)item - offsetof(struct keeping, item));
}

static enum err erase_due(struct hub_decider *decider, void *arg)
{
    struct keeping *keeping = arg;
    uint64_t erased = 0;
    enum err err = hub_erase_due(decider, &erased);
    if (err || erased == 0)
        return err;
    struct touched *grown =
        realloc(keeping->touched, (keeping->touched_n + 1) * sizeof *keeping->touched);
    if (!grown)
        return ERR_NOMEM;
    keeping->touched = grown;
    keeping->touched[keeping->touched_n++] =
        (struct touched){decider->community->number, decider->effects};
    return OK;
}

static enum err run(struct writer_item *item, struct txn *txn, bool again, struct fault *fault)
{
    (void)again;
    struct keeping *keeping = keeping_of(item);
    keeping->touched_n = 0;
    enum err err = decide_each(txn, 0, keeping->now, erase_due, keeping, fault);
    item->decides = keeping->touched_n > 0;
    return err;
}

static void done(struct writer_item *item)
{
    struct keeping *keeping = keeping_of(item);
    keeping->is_looking = false;
    for (size_t i = 0; i < keeping->touched_n && !item->err; i++)
        keeping->affected(keeping->arg, keeping->touched[i].community,
                          &keeping->touched[i].effects);
}

struct keeping *keeping_new(struct loop *loop, struct writer *writer,
                            void (*affected)(void *arg, uint32_t community,
                                             const struct hub_effects *effects),
                            void *arg)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    if (!keeping)
        return NULL;
    keeping->item.run = run;
    keeping->item.done = done;
    keeping->item.bytes = sizeof *keeping;
    keeping->loop = loop;
    keeping->writer = writer;
    keeping->affected = affected;
    keeping->arg = arg;
    return keeping;
}

void keeping_free(struct keeping **keeping)
{
    if (!*keeping)
        return;
    free((*keeping)->touched);
    free(*keeping);
    *keeping = NULL;
}

void keeping_look(struct keeping *keeping)
{
    if (keeping->is_looking)
        return;
    keeping->is_looking = true;
    keeping->now = loop_clock(keeping->loop);
    writer_put(keeping->writer, &keeping->item);
}
