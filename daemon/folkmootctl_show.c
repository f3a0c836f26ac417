// What folkmootctl prints for people.

#include "daemon/folkmootctl_show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/folkmootctl_export.h"
#include "daemon/terminal.h"

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void show_text(const cJSON *object, const char *title, const char *name)
{
    (void)printf("%-20s ", title);
    terminal_text(stdout, text_of(object, name));
    (void)putchar('\n');
}

static void show_number(const cJSON *object, const char *title, const char *name)
{
    (void)printf("%-20s %.0f\n", title, number_of(object, name));
}

void ctl_show_status(const cJSON *answer)
{
    show_text(answer, "version", "version");
    show_text(answer, "hub key", "hub_key");
    show_text(answer, "address", "address");
    show_number(answer, "up, seconds", "up_seconds");
    show_number(answer, "communities", "communities");
    show_number(answer, "connections", "connections");
    show_number(answer, "  turned away", "connections_refused");
    show_number(answer, "calls", "calls");
    show_number(answer, "  refused", "calls_refused");
    show_number(answer, "writes waiting", "writes_waiting");
    (void)printf("%-20s %.1f of %.0f MiB\n", "database",
                 number_of(answer, "database_bytes") / (1 << 20),
                 number_of(answer, "database_bytes_max") / (1 << 20));
}

void ctl_show_created(const cJSON *answer)
{
    show_text(answer, "founded", "name");
    show_text(answer, "id", "id");
}

void ctl_show_communities(const cJSON *answer)
{
    const cJSON *item;
    (void)printf("%-32s %10s  NAME\n", "ID", "CHANGES");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "communities"))
    {
        (void)printf("%-32s %10.0f  ", text_of(item, "id"), number_of(item, "changes"));
        terminal_text(stdout, text_of(item, "name"));
        (void)putchar('\n');
    }
}

void ctl_show_devices(const cJSON *answer)
{
    const cJSON *item;
    (void)printf("%-24s %-11s %8s %6s %6s  %-16s  %-16s  LABEL\n", "HANDLE", "ROLE", "CHANGES",
                 "TO DO", "APART", "LAST SYNC", "APP");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "devices"))
    {
        (void)printf("%-24s %-11s %8.0f %6.0f %6.0f  ", text_of(item, "handle"),
                     text_of(item, "role"), number_of(item, "changes"),
                     number_of(item, "undelivered"), number_of(item, "apart"));
        double last = number_of(item, "last_sync");
        terminal_time(stdout, (int64_t)last);
        (void)fputs(last == 0 ? "             " : "  ", stdout); // "never" is eleven shorter
        (void)printf("%-16.40s  ", text_of(item, "app"));
        terminal_text(stdout, text_of(item, "label"));
        if (text_of(item, "error")[0]) {
            (void)printf("  (refused %s, ", text_of(item, "error"));
            terminal_time(stdout, (int64_t)number_of(item, "error_time"));
            (void)putchar(')');
        }
        (void)putchar('\n');
    }
}

void ctl_show_fingerprint(const cJSON *answer)
{
    (void)printf("%s  %.0f records\n", text_of(answer, "fingerprint"),
                 number_of(answer, "records"));
}

void ctl_show_invitation(const cJSON *answer)
{
    const char *link = text_of(answer, "link");
    (void)printf("An invitation for %.0f device%s, as %s, to ", number_of(answer, "uses"),
                 number_of(answer, "uses") == 1 ? "" : "s", text_of(answer, "role"));
    terminal_text(stdout, text_of(answer, "community"));
    (void)printf(".\nIt is valid until ");
    terminal_time(stdout, (int64_t)number_of(answer, "expires"));
    (void)printf(". Whoever has the link may use it: give it to nobody else.\n\n");
    if (!terminal_qr(stdout, link, isatty(STDOUT_FILENO)))
        (void)fputs("(the link is too long for a QR code)\n", stdout);
    (void)printf("\n%s\n", link);
}

void ctl_show_decided(const cJSON *answer)
{
    (void)printf("%s: done\n", text_of(answer, "device"));
}

void ctl_show_released(const cJSON *answer)
{
    (void)printf("%s: %.0f change%s effect\n", text_of(answer, "device"),
                 number_of(answer, "count"), number_of(answer, "count") == 1 ? " takes" : "s take");
}

void ctl_show_erased(const cJSON *answer)
{
    (void)printf("the words of %.0f change%s erased here, and on each device at its next sync\n",
                 number_of(answer, "count"), number_of(answer, "count") == 1 ? " are" : "s are");
}

void ctl_show_voided(const cJSON *answer)
{
    (void)printf("the tokens of %.0f devices are void; they log in anew by themselves\n",
                 number_of(answer, "count"));
}

void ctl_show_rotated(const cJSON *answer)
{
    (void)answer;
    (void)puts("new connections are shown a new key; devices prove it by the hub's identity");
}

void ctl_show_apart(const cJSON *answer)
{
    const cJSON *item;
    (void)printf("%-24s %8s  %-12s REASON\n", "DEVICE", "SEQ", "KIND");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "apart"))
    {
        (void)printf("%-24s %8.0f  %-12s %s\n", text_of(item, "device"), number_of(item, "seq"),
                     text_of(item, "kind"), text_of(item, "reason"));
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "more")))
        (void)puts("and more");
}

static void show_who(const cJSON *item, const char *name, const char *label)
{
    (void)printf(" %s", text_of(item, name));
    if (text_of(item, label)[0]) {
        (void)fputs(" (", stdout);
        terminal_text(stdout, text_of(item, label));
        (void)putchar(')');
    }
}

static void show_decision(const cJSON *item)
{
    terminal_time(stdout, (int64_t)number_of(item, "time"));
    (void)printf("  %s%s", cJSON_HasObjectItem(item, "withdraws") ? "no longer " : "",
                 text_of(item, "what"));
    if (text_of(item, "kind")[0])
        (void)printf(" %s:%s", text_of(item, "kind"), text_of(item, "id"));
    if (text_of(item, "device")[0])
        show_who(item, "device", "label");
    if (text_of(item, "role")[0])
        (void)printf(" as %s", text_of(item, "role"));
    if (cJSON_HasObjectItem(item, "change"))
        (void)printf(" change %.0f", number_of(item, "change"));
    if (cJSON_HasObjectItem(item, "from"))
        (void)printf(" from change %.0f on", number_of(item, "from"));
    if (text_of(item, "reason")[0])
        (void)printf(": %s", text_of(item, "reason"));
    (void)fputs("; by", stdout);
    show_who(item, "asked_by", "asked_label");
    (void)putchar('\n');
}

void ctl_show_audit(const cJSON *answer)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "decisions"))
        show_decision(item);
    if (cJSON_HasObjectItem(answer, "next"))
        (void)printf("and more: --since %.0f\n", number_of(answer, "next"));
}

static void show_table(const cJSON *answer, const char *name)
{
    const cJSON *row;
    const cJSON *cell;
    const cJSON *table = cJSON_GetObjectItemCaseSensitive(answer, name);
    (void)printf("%-12s", name);
    cJSON_ArrayForEach(cell, table->child)(void) printf(" %-11s", cell->string);
    (void)putchar('\n');
    cJSON_ArrayForEach(row, table)
    {
        (void)printf("%-12s", row->string);
        cJSON_ArrayForEach(cell, row)(void) printf(" %-11s", cJSON_GetStringValue(cell));
        (void)putchar('\n');
    }
    (void)putchar('\n');
}

void ctl_show_who_may(const cJSON *answer)
{
    show_table(answer, "call");
    show_table(answer, "write");
    show_table(answer, "see");
}

// --- whole databases ---

static void show_fault(const cJSON *item)
{
    (void)printf("%s: %s", text_of(item, "table"), text_of(item, "fault"));
    if (text_of(item, "affects")[0])
        (void)printf(": %s", text_of(item, "affects"));
    if (cJSON_HasObjectItem(item, "community"))
        (void)printf("; community %.0f", number_of(item, "community"));
    if (cJSON_HasObjectItem(item, "position"))
        (void)printf(", entry %.0f", number_of(item, "position"));
    if (text_of(item, "device")[0])
        (void)printf(", device %s", text_of(item, "device"));
    if (cJSON_HasObjectItem(item, "change"))
        (void)printf(", change %.0f", number_of(item, "change"));
    if (cJSON_HasObjectItem(item, "kind"))
        (void)printf(", record %.0f:%s", number_of(item, "kind"), text_of(item, "id"));
    (void)putchar('\n');
}

void ctl_show_faults(const cJSON *answer)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "faults")) show_fault(item);
}

static void show_faults(const cJSON *answer)
{
    double all = number_of(answer, "faults_in_all");
    ctl_show_faults(answer);
    if (all > 0)
        (void)printf(
            "%.0f faults: keep this copy, and restore a backup that \"folkmootctl verify\" "
            "finds sound;\ndevices give back what is theirs\n",
            all);
}

static void show_copied(const cJSON *answer, const char *what)
{
    show_faults(answer);
    (void)printf("%s: %.0f communities, %.0f changes, %.1f MiB\n", what,
                 number_of(answer, "communities"), number_of(answer, "changes"),
                 number_of(answer, "bytes") / (1 << 20));
}

void ctl_show_backup(const cJSON *answer)
{
    show_copied(answer, "backed up");
}

void ctl_show_restored(const cJSON *answer)
{
    show_copied(answer, "restored");
    (void)puts(
        "Start the hub: the chains begin anew, and devices give back what is theirs. Links of\n"
        "invitations are void: make new ones. Where db/orders was lost, too, revoke and erase\n"
        "again what was since the backup.");
    if (text_of(answer, "kept")[0])
        (void)printf("The database that was there is %s: it can read what was\n"
                     "erased since; destroy it when all is well.\n",
                     text_of(answer, "kept"));
}

void ctl_show_exported(const cJSON *answer)
{
    if (cJSON_HasObjectItem(answer, "as")) {
        ctl_show_given(answer);
        return;
    }
    show_copied(answer, "exported");
    (void)puts("It can read all that the community said: keep it as you keep backups.");
}

void ctl_show_imported(const cJSON *answer)
{
    show_copied(answer, "imported");
    (void)puts(
        "Start the hub: the community's chain begins anew, and devices give back what is theirs.\n"
        "Of those that knew it elsewhere each joins by a link of this hub.");
}

void ctl_show_compacted(const cJSON *answer)
{
    show_copied(answer, "compacted");
}

void ctl_show_verified(const cJSON *answer)
{
    show_faults(answer);
    if (number_of(answer, "faults_in_all") == 0)
        (void)printf("verified: %.0f rows and changes read, all is as the log makes it\n",
                     number_of(answer, "rows_read"));
}

void ctl_show_doctor(const cJSON *answer)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "findings"))
    {
        const char *state = text_of(item, "state");
        (void)printf("%-13s %-5s ", text_of(item, "of"), strcmp(state, "well") == 0 ? "" : state);
        terminal_text(stdout, text_of(item, "text"));
        (void)putchar('\n');
        if (text_of(item, "advice")[0])
            (void)printf("%19s → %s\n", "", text_of(item, "advice"));
    }
}
