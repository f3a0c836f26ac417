#include "daemon/folkmootctl_table.h"

#include <getopt.h>
#include <string.h>

static const struct ctl_command commands[] = {
    {"status", "", "what the hub is and does", {NULL}, 0, ctl_show_status},
    {"community create", "NAME", "found a community on this hub", {"name"}, 1, ctl_show_created},
    {"community list", "", "the communities of this hub", {NULL}, 0, ctl_show_communities},
    {"invite",
     "COMMUNITY",
     "make an invitation: a link and a QR code",
     {"community"},
     1,
     ctl_show_invitation},
    {"devices", "COMMUNITY", "the devices of a community", {"community"}, 1, ctl_show_devices},
    {"role",
     "COMMUNITY DEVICE ROLE",
     "give a device another role from its next change on",
     {"community", "device", "role"},
     3,
     ctl_show_decided},
    {"revoke",
     "COMMUNITY DEVICE",
     "a stolen phone, say: it gets nothing more, and what it\ndelivers from now on is set apart",
     {"community", "device"},
     2,
     ctl_show_decided},
    {"reinstate",
     "COMMUNITY DEVICE",
     "take that back",
     {"community", "device"},
     2,
     ctl_show_decided},
    {"apart", "COMMUNITY", "what is set apart, and why", {"community"}, 1, ctl_show_apart},
    {"release",
     "COMMUNITY DEVICE",
     "let take effect what only its revocation set apart",
     {"community", "device"},
     1,
     ctl_show_released},
    {"erase",
     "COMMUNITY",
     "destroy words, here and on each device at its next sync",
     {"community"},
     1,
     ctl_show_erased},
    {"audit",
     "COMMUNITY",
     "what was decided last, and who asked for it",
     {"community"},
     1,
     ctl_show_audit},
    {"picture",
     "COMMUNITY",
     "what is needed, by how many, and who answered",
     {"community"},
     1,
     ctl_show_picture},
    {"who-may", "[ROLE]", "which role may call, write and see what", {"role"}, 0, ctl_show_who_may},
    {"rotate tokens",
     "COMMUNITY [DEVICE]",
     "void tokens: devices log in anew by themselves",
     {"community", "device"},
     1,
     ctl_show_voided},
    {"rotate tls", "", "make the hub's own TLS key anew", {NULL}, 0, ctl_show_rotated},
    {"fingerprint",
     "COMMUNITY",
     "one number for all its records, to compare with a device's;\n"
     "reads the database, so it needs the right to",
     {"community"},
     1,
     ctl_show_fingerprint},
    {"backup",
     "FILE",
     "write a backup, while the hub runs; - is standard output",
     {"file"},
     1,
     ctl_show_backup},
    {"verify",
     "[FILE]",
     "read all of the database, or of a backup: every hash, chain,\n"
     "signature, index; the hub may run",
     {"file"},
     0,
     ctl_show_verified},
    {"restore",
     "FILE",
     "put a backup in the database's place; the hub is stopped",
     {"file"},
     1,
     ctl_show_restored},
    {"export",
     "COMMUNITY FILE",
     "write a backup of this community alone, or (--as) its records\nfor people; the hub may run; "
     "- is standard output",
     {"community", "file"},
     2,
     ctl_show_exported},
    {"import",
     "FILE",
     "take in a community that was exported by a hub of the same\n"
     "identity key; the hub is stopped",
     {"file"},
     1,
     ctl_show_imported},
    {"doctor",
     "",
     "look at what the hub stands on, and say what to do",
     {NULL},
     0,
     ctl_show_doctor},
    {"compact",
     "",
     "write the database anew, as small as it can be; the hub is\nstopped",
     {NULL},
     0,
     ctl_show_compacted},
};

#define AT(name) offsetof(struct ctl_arguments, name)

static const struct ctl_option options[] = {
    {"invite", "role", "ROLE", "member, volunteer (if not given), coordinator or observer",
     AT(role)},
    {"invite", "uses", "N", "for so many devices (1)", AT(uses)},
    {"invite", "label", "TEXT", "how the device will be called in lists", AT(label)},
    {"invite", "valid", "TIME", "30m, 12h or 7d (if not given)", AT(valid)},
    {"release", "change", "DEVICE:SEQ", "or this one change, also what its role did not allow",
     AT(change)},
    {"erase", "record", "KIND:ID", "of a record and all that hangs on it", AT(record)},
    {"erase", "person", "ID", "of all that a person said", AT(person)},
    {"erase", "change", "DEVICE:SEQ", "of one change", AT(change)},
    {"audit", "since", "TIME", "2026-03-01, \"2026-03-01 12:00\", 7d ago, or a decision's number",
     AT(since)},
    {"audit", "limit", "N", "how many lines (200)", AT(limit)},
    {"picture", "html", "FILE", "write it as one page, to be read in a browser or printed",
     AT(html)},
    {"picture", "outlines", "FILE.geojson", "with a map of these places, of the page",
     AT(outlines)},
    {"export", "as", "FORM",
     "csv (one kind), jsonl, geojson, 360giving (commitments) or sqlite:\n"
     "what is not personal",
     AT(as)},
    {"export", "kind", "KIND", "only these, of csv need if not given", AT(kind)},
    {"export", "audience", "AUDIENCE",
     "for the community (if not given), or only what is for\norganisations or public, masked",
     AT(audience)},
    {"export", "hxl", NULL, "csv with a second row of HXL tags", AT(hxl)},
    {"export", "prefix", "PREFIX", "of 360Giving's ids: what the publisher was given", AT(prefix)},
    {"restore", "force", NULL, "though something of it is damaged: without that", AT(force)},
    {NULL, "socket", "PATH",
     "the hub's control socket; if not given, $FOLKMOOT_CONTROL, or\n"
     "that of the --config, or /run/folkmoot/control.sock",
     AT(socket)},
    {NULL, "config", "FILE",
     "the hub's configuration, for what is done on its files; if not given,\n"
     "/etc/folkmoot/folkmootd.conf where that is there",
     AT(config)},
    {NULL, "json", NULL, "print the hub's answer as JSON", AT(json)},
    {NULL, "version", NULL, "print the version", AT(version)},
    {NULL, "help", NULL, "print this", AT(help)},
    {NULL, "completion", NULL, NULL, AT(completion)},
};

enum { OPTIONS_N = sizeof options / sizeof *options };

const struct ctl_command *ctl_command_row(size_t i)
{
    return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const struct ctl_option *ctl_option_row(size_t i)
{
    return i < OPTIONS_N ? &options[i] : NULL;
}

// How many of the words are the command; 0: it is another one.
static int match(const struct ctl_command *command, int n, char **words)
{
    size_t first = strlen(words[0]);
    if (strcmp(command->name, words[0]) == 0)
        return 1;
    bool is_second = n > 1 && strncmp(command->name, words[0], first) == 0 &&
                     command->name[first] == ' ' &&
                     strcmp(command->name + first + 1, words[1]) == 0;
    return is_second ? 2 : 0;
}

const struct ctl_command *ctl_command_find(int n, char **words, int *used)
{
    for (size_t i = 0; n > 0 && i < sizeof commands / sizeof *commands; i++) {
        int matched = match(&commands[i], n, words);
        if (matched == 0)
            continue;
        *used = matched;
        return &commands[i];
    }
    return NULL;
}

int ctl_parse(int argc, char **argv, struct ctl_arguments *arguments)
{
    struct option longs[OPTIONS_N + 1] = {{0}};
    for (int i = 0; i < OPTIONS_N; i++)
        longs[i] = (struct option){
            options[i].name, options[i].value ? required_argument : no_argument, NULL, 256 + i};
    for (int read; (read = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        if (read == '?')
            return -1;
        size_t at = read == 'h' ? AT(help) : options[read - 256].at;
        *(const char **)(void *)((char *)arguments + at) = optarg ? optarg : "";
    }
    return optind;
}
