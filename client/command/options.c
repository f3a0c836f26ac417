#include "client/command/options.h"

#include <string.h>

#include "client/command/app.h"
#include "client/command/audience.h"
#include "client/command/carry.h"
#include "client/command/contact.h"
#include "client/command/erase.h"
#include "client/command/help.h"
#include "client/command/import.h"
#include "client/command/invite.h"
#include "client/command/list.h"
#include "client/command/online.h"
#include "client/command/picture.h"
#include "client/command/show.h"
#include "client/command/status.h"
#include "client/command/voice.h"
#include "client/command/writing.h"
#include "client/folkmoot.h"

static const struct command commands[] = {
    {"join", "LINK", "Join a community by the link of an invitation",
     "LINK is what the community's admin gave out, as a QR code or as text:\n"
     "folkmoot://HOST:PORT/join?… Quote it, for the shell reads & and ? otherwise.\n"
     "It works once. Joining again with the same link after a failure does no harm. A store that "
     "is\n"
     "a copy, was restored or was revoked joins anew by a new link, and takes along what was not\n"
     "sent yet.",
     1, 1, false, COMMAND_NEEDS_STORE, online_join},
    {"add", "KIND [--FIELD VALUE …]", "Write down something that somebody said or did",
     "A field that may hold several values may be given several times. --about, --party and\n"
     "--speaker take a REF. A voice takes --about, --stance, --person, --words and --language.",
     1, 1, true, COMMAND_NEEDS_COMMUNITY, writing_add},
    {"edit", "REF [--FIELD VALUE …]", "Change what a record says",
     "What stood there before is kept, and everybody sees who went over it. A field that may hold\n"
     "several values is added to; --remove takes one of them out.",
     1, 1, true, COMMAND_NEEDS_COMMUNITY, writing_edit},
    {"resolve", "REF --FIELD VALUE|@N", "Settle a tension: values that stand side by side",
     "@2 is the second value that `folkmoot show REF` lists; anything else is a new value.", 1, 1,
     true, COMMAND_NEEDS_COMMUNITY, writing_resolve},
    {"voice", "REF for|against|unsure|withdrawn --person CARD",
     "Give one person's voice on a record",
     "A person has one voice on a record: a later one takes the place of an earlier one, however\n"
     "many volunteers carry it. A member gives their own voice, without --person.",
     2, 2, false, COMMAND_NEEDS_COMMUNITY, voice_give},
    {"withdraw", "REF --person CARD", "Take one person's voice on a record back",
     "It counts no more. What was said stays in the history; erase takes the words away, too.", 1,
     1, false, COMMAND_NEEDS_COMMUNITY, voice_withdraw},
    {"same", "REF REF", "Say that two records are one, or no longer",
     "Both must be of one kind. Their voices then count together, each person once.", 2, 2, false,
     COMMAND_NEEDS_COMMUNITY, writing_same},
    {"undo", "[SEQ]", "Take back a change of this device",
     "SEQ is the change's number, the last one if none is given. What the change had gone over\n"
     "stands again.",
     0, 1, false, COMMAND_NEEDS_COMMUNITY, writing_undo},
    {"erase", "REF | --person CARD", "Erase words for ever, here and everywhere",
     "Of a record, or of all that a person said. A coordinator erases everybody's words of it and\n"
     "what hangs on it; anybody else, and --mine, what this device wrote. What this device wrote "
     "is\n"
     "gone from here at once, the rest with the next sync of each device.",
     0, 1, false, COMMAND_NEEDS_COMMUNITY, erase_words},
    {"audience", "REF [community|organisations|public]", "Show or say who may see a record",
     "Where several people said different things, the narrowest holds.", 1, 2, false,
     COMMAND_NEEDS_COMMUNITY, audience_command},
    {"contact", "CARD|ID [--name …] [--telephone …] [--email …] [--words …]",
     "Show or write down how to reach a person",
     "Only coordinators, and whoever wrote it down, ever receive it. ID is person:ID or its 32\n"
     "digits. Without a field it shows what this device has.",
     1, 1, true, COMMAND_NEEDS_COMMUNITY, contact_command},
    {"list", "[KIND]", "List records", NULL, 0, 1, false, COMMAND_NEEDS_COMMUNITY, list_records},
    {"find", "WORD...", "Find records by words of their titles and words",
     "All the words must occur; the last may be the beginning of one. Case, accents and points do\n"
     "not matter, and any script will do. Whole words come before beginnings, titles before other\n"
     "words, then what came last. Personal details are not looked at.",
     1, OPTIONS_ARGS_MAX, false, COMMAND_NEEDS_COMMUNITY, list_found},
    {"picture", "", "Show what is needed, by how many, and who answered",
     "As far as this device is told what it is made of: each person counts once, and joined needs\n"
     "are one. The hub's admin can write the same as a page.",
     0, 0, false, COMMAND_NEEDS_COMMUNITY, picture_command},
    {"show", "REF", "Show a record, its voices, tensions, answers and history", NULL, 1, 1, false,
     COMMAND_NEEDS_COMMUNITY, show_record},
    {"import", "FILE.csv|FILE.json", "Take in a table, and of a newer one the differences",
     "The first line names the columns: fields, and kind, key (the row's own name, by which\n"
     "importing again makes only the differences), about, party, person (a card's code), stance,\n"
     "place, place_code, place_point (LAT,LON) and time. Several values in a cell stand between\n"
     "semicolons. Any other table takes a --mapping. A row that did not change since it was\n"
     "imported is left alone; a value that changed goes over what was imported before, and stands\n"
     "beside what people said since; an empty cell clears nothing. A row that is wrong is told of "
     "and\n"
     "left out.",
     1, 1, false, COMMAND_NEEDS_COMMUNITY, import_file},
    {"sync", "", "Exchange changes with the hub",
     "Sends what is unsent and fetches what is new. What was exchanged before the line broke is\n"
     "kept.",
     0, 0, false, COMMAND_NEEDS_COMMUNITY, online_sync},
    {"carry", "export|import FILE", "Sync without a line: by a letter that somebody takes along",
     "carry export writes what is unsent to FILE, sealed to the hub: whoever has a line delivers "
     "it\n"
     "with carry import FILE and carries FILE.answer back, which carry import takes in. Nobody on\n"
     "the way can read or alter either. A letter that is lost, late or delivered twice does no "
     "harm.",
     2, 2, false, COMMAND_NEEDS_COMMUNITY, carry_command},
    {"invite", "[--role ROLE]", "Make an invitation, as a coordinator: a link and a QR code",
     "ROLE is member, volunteer (if none is given), coordinator or observer. It needs a "
     "connection\n"
     "to the hub.",
     0, 0, false, COMMAND_NEEDS_COMMUNITY, invite_make},
    {"status", "", "Show the communities that this device has joined, and what is unsent", NULL, 0,
     0, false, COMMAND_NEEDS_STORE, status_show},
    {"fingerprint", "", "One number for all records here: two devices with the same hold the same",
     "Personal details are not counted in.", 0, 0, false, COMMAND_NEEDS_COMMUNITY,
     status_fingerprint},
    {"help", "[COMMAND]", "Explain a command", NULL, 0, 1, false, COMMAND_NEEDS_NOTHING, help_show},
};

static const struct option options[] = {
    {" add edit resolve voice withdraw same audience contact import ", "time", "TIME",
     "When it was said: 2026-11-23, 2026-11-23T10:30 (here) or 2026-11-23T10:30:00Z; else now"},
    {" add voice ", "person", "CARD",
     "Who speaks: the 26 characters of their card; \"new\" makes a card and prints it"},
    {" withdraw erase ", "person", "CARD",
     "Whose: the 26 characters of their card; of erase also the person's id"},
    {" voice ", "words", "TEXT", "Why, in the person's own words"},
    {" voice ", "language", "TAG", "The language of the words, for example bn or zh-Hant"},
    {" edit ", "clear", "FIELD", "Empty a field"},
    {" edit ", "remove", "FIELD=VALUE", "Take one of several values out"},
    {" same ", "part", NULL, "They are not one: part them again"},
    {" erase ", "mine", NULL, "Only what this device wrote, though it is a coordinator's"},
    {" erase ", "yes", NULL, "It is meant: do not ask"},
    {" invite ", "role", "ROLE", "What the new device may do"},
    {" invite ", "label", "TEXT", "What it will be called in the admin's lists"},
    {" invite ", "uses", "N", "For how many devices, 1 if none is given"},
    {" invite ", "valid", "TIME", "For how long: 30m, 12h, or 7d if none is given"},
    {" list ", "about", "REF", "Only what refers to this record"},
    {" sync ", "check", NULL, "Prove a change of somebody else, too (else only now and then)"},
    {" status ", "acknowledge", NULL, "A warning about the hub's log was read: take it away"},
    {" import ", "kind", "KIND", "The kind of the rows that name none"},
    {" import ", "mapping", "FILE", "What becomes of each column: docs/imports.md"},
    {" import ", "source", "NAME", "Where the table is from, if the mapping leaves that open"},
    {" import ", "dry_run", NULL, "Tell what would be made, and write nothing"},
    {" import ", "strict", NULL, "Import nothing when any row is wrong"},
    {" import ", "withdraw_gone", NULL,
     "Take back what this device said in records whose rows are missing from a complete table"},
    {" import ", "map", "COLUMN=FIELD,…", "Columns that are called otherwise in the file"},
    {" import ", "ignore_columns", NULL, "Leave out columns that mean nothing here"},
    {NULL, "store", "DIR",
     "Where this device keeps its records (else $FOLKMOOT_STORE, else "
     "$XDG_DATA_HOME/folkmoot, else ~/.local/share/folkmoot)"},
    {NULL, "community", "ID|NAME", "Which community, when there are several; else the first"},
    {NULL, "json", NULL, "Print one JSON document for programs"},
    {NULL, "help", NULL, "Print this help"},
    {NULL, "version", NULL, "Print the version"},
    {NULL, "completion", NULL, NULL},
};

const struct command *options_command(size_t i)
{
    return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct option *options_row(size_t i)
{
    return i < sizeof(options) / sizeof(options[0]) ? &options[i] : NULL;
}

const struct command *options_find(const char *name)
{
    const struct command *command;
    for (size_t i = 0; (command = options_command(i)); i++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

bool options_takes(const struct command *command, const struct option *option)
{
    if (!option->commands)
        return true;
    if (!command)
        return false;
    const char *at = option->commands;
    size_t n = strlen(command->name);
    while ((at = strstr(at, command->name))) {
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
        at += n;
    }
    return false;
}

static const struct option *find_option(const struct command *command, const char *name)
{
    const struct option *option;
    for (size_t i = 0; (option = options_row(i)); i++) {
        if (strcmp(option->name, name) == 0 && options_takes(command, option))
            return option;
    }
    return NULL;
}

// Whether any kind has a field of this name; which one it is about is known only later.
static bool is_field(const char *name)
{
    const char *kind;
    const char *field;
    for (size_t i = 0; (kind = folkmoot_kind_name(i)); i++) {
        for (size_t k = 0; (field = folkmoot_field_name(kind, k)); k++) {
            if (strcmp(field, name) == 0)
                return true;
        }
    }
    return false;
}

// Cuts "name=value" in two and turns - into _ in the name. The value, or NULL.
static char *split(char *text)
{
    char *equals = strchr(text, '=');
    if (equals)
        *equals = 0;
    for (char *at = text; *at; at++) {
        if (*at == '-')
            *at = '_';
    }
    return equals ? equals + 1 : NULL;
}

static enum command_exit unknown(const struct call *call, const char *name)
{
    if (!call->command)
        return app_say(COMMAND_USAGE,
                       "there is no option --%s before a command; see folkmoot --help", name);
    return app_say(COMMAND_USAGE, "there is no option or field --%s; see folkmoot help %s", name,
                   call->command->name);
}

// Reads the option in argv[*i] and, when that is a word of its own, its value behind it.
static enum command_exit read_option(struct call *call, int argc, char **argv, int *i)
{
    char *name = argv[*i] + 2;
    char *value = split(name);
    const struct option *option = find_option(call->command, name);
    bool field = !option && call->command && call->command->fields && is_field(name);
    if (!option && !field)
        return unknown(call, name);
    bool takes_value = field || option->value;
    if (!takes_value && value)
        return app_say(COMMAND_USAGE, "--%s takes no value", name);
    if (takes_value && !value) {
        if (*i + 1 >= argc)
            return app_say(COMMAND_USAGE, "--%s needs a value behind it", name);
        value = argv[++*i];
    }
    if (call->options_n == OPTIONS_MAX)
        return app_say(COMMAND_USAGE, "there are more than %d options", OPTIONS_MAX);
    call->options[call->options_n++] = (struct call_option){name, value ? value : "", field};
    return COMMAND_OK;
}

static enum command_exit read_word(struct call *call, const char *word)
{
    if (!call->command) {
        call->command = options_find(word);
        if (!call->command)
            return app_say(COMMAND_USAGE, "there is no command \"%s\"; see folkmoot --help", word);
        return COMMAND_OK;
    }
    if (call->args_n == OPTIONS_ARGS_MAX)
        return app_say(COMMAND_USAGE, "there are too many words; quote a text that has spaces");
    call->args[call->args_n++] = word;
    return COMMAND_OK;
}

static enum command_exit check_count(const struct call *call)
{
    const struct command *command = call->command;
    if (!command || options_given(call, "help") || options_given(call, "version"))
        return COMMAND_OK;
    if (call->args_n < command->args_least)
        return app_say(COMMAND_USAGE, "something is missing: folkmoot %s %s", command->name,
                       command->args);
    if (call->args_n > command->args_most)
        return app_say(COMMAND_USAGE,
                       "\"%s\" is too much (quote a text that has spaces): folkmoot %s %s",
                       call->args[command->args_most], command->name, command->args);
    return COMMAND_OK;
}

enum command_exit options_parse(struct call *call, int argc, char **argv)
{
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        enum command_exit done = COMMAND_OK;
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && strncmp(argv[i], "--", 2) == 0)
            done = read_option(call, argc, argv, &i);
        else if (!only_words && argv[i][0] == '-' && argv[i][1])
            done = app_say(COMMAND_USAGE, "options begin with two hyphens; see folkmoot --help");
        else
            done = read_word(call, argv[i]);
        if (done != COMMAND_OK)
            return done;
    }
    return check_count(call);
}

const char *options_next(const struct call *call, const char *name, size_t *i)
{
    while (*i < call->options_n) {
        const struct call_option *option = &call->options[(*i)++];
        if (strcmp(option->name, name) == 0)
            return option->value;
    }
    return NULL;
}

const char *options_value(const struct call *call, const char *name)
{
    const char *value = NULL;
    const char *next;
    for (size_t i = 0; (next = options_next(call, name, &i));)
        value = next;
    return value;
}

bool options_given(const struct call *call, const char *name)
{
    return options_value(call, name) != NULL;
}
